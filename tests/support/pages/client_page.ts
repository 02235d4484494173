/**
 * Our own client library in a page, driven by a test. Bundled for the browser when the test runs; what it offers stands in
 * `globalThis.ours`.
 */
import {
  type Client,
  connect,
  type ConnectOptions,
  GroupCut,
  type GroupReader,
  QumoError,
  type Subscription,
  type TrackProducer,
} from "../../../client/mod.ts";
import { dialBrowser } from "../../../transport/browser/browser.ts";
import type { Connection, SendStream } from "../../../transport/connection.ts";
import { isPayloadOf, payloadOf } from "../payload.ts";

/** What a viewer got of one group. */
export interface SeenGroup {
  readonly sequence: number;
  /** Whether each frame, from the first, had the right bytes. */
  readonly frames: boolean[];
  /** It ended with GroupCut. */
  readonly cut: boolean;
}

/** How a call of `connect()` ended that had to fail. */
export interface Failure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

export interface ClientPage {
  /** @returns The version that was negotiated. */
  connect(url: string, options?: ConnectOptions): Promise<string>;
  connectFails(url: string, options?: ConnectOptions): Promise<Failure>;
  /** Announces a broadcast with a track "data". */
  publish(path: string): void;
  subscribers(): number;
  /** Writes whole groups, one after another. */
  write(groups: { from: number; count: number; frames: number }): Promise<void>;
  /** Opens a group with some frames, to be cut. */
  begin(frames: number): void;
  cut(): void;
  datagram(text: string): void;
  endTrack(): void;
  announced(): Promise<{ path: string; active: boolean }>;
  /** Begins to watch a broadcast's "data". */
  watch(path: string): void;
  /** What came so far: `ended` when the track has ended, `error` when it was lost. */
  seen(): { groups: SeenGroup[]; datagrams: string[]; ended: boolean; error: string | undefined };
  /** Fetches one group of "data". */
  fetch(path: string, group: number): Promise<SeenGroup>;
  close(code: number, reason: string): Promise<void>;
  /** How the session ended. */
  closed(): Promise<{ code: number; reason: string; abrupt: boolean }>;
  /** A bare connection, without a session: opens a stream with some bytes in it. */
  opens(url: string, hash: string): Promise<void>;
  /** Resets that stream. */
  resets(code: number): Promise<string>;
  /** A bare connection: waits for a stream, reads once, stops it; says how the next read ends. */
  stops(url: string, hash: string, code: number): Promise<string>;
  /** Errors that nobody caught. */
  uncaught(): string[];
}

let client: Client;
let track: TrackProducer;
let open: { abort(): void };
let half: SendStream;
const kept: Connection[] = [];
const uncaught: string[] = [];
const seen = {
  groups: [] as { sequence: number; frames: boolean[]; cut: boolean }[],
  datagrams: [] as string[],
  ended: false,
  error: undefined as string | undefined,
};
addEventListener("unhandledrejection", (event) => uncaught.push(String(event.reason)));
addEventListener("error", (event) => uncaught.push(event.message));

async function readGroup(group: GroupReader, into: { frames: boolean[]; cut: boolean }) {
  try {
    for await (const { payload } of group) {
      into.frames.push(isPayloadOf(group.sequence, into.frames.length, payload));
    }
  } catch (error) {
    if (!(error instanceof GroupCut)) throw error;
    into.cut = true;
  }
}

async function readTrack(subscription: Subscription): Promise<void> {
  const reading: Promise<void>[] = [];
  for await (const group of subscription) {
    const into = { sequence: group.sequence, frames: [], cut: false };
    seen.groups.push(into);
    reading.push(readGroup(group, into));
  }
  await Promise.all(reading);
  seen.ended = true;
}

const text = (raw: Uint8Array) => new TextDecoder().decode(raw);
const bytes = (words: string) => new TextEncoder().encode(words);

async function bare(url: string, hash: string): Promise<Connection> {
  const value = Uint8Array.from(hash.match(/../g)!, (pair) => parseInt(pair, 16));
  const connection = await dialBrowser(url, { protocols: ["moq-lite-04"], hash: value });
  kept.push(connection);
  return connection;
}

const page: ClientPage = {
  async connect(url, options = {}) {
    client = await connect(url, options);
    return client.version;
  },
  async connectFails(url, options = {}) {
    try {
      await connect(url, options);
    } catch (error) {
      if (!(error instanceof QumoError)) throw error;
      return { name: error.name, code: error.code, message: error.message };
    }
    throw new Error("it connected");
  },
  publish(path) {
    track = client.publish(path).track("data", { maxAgeMs: 5_000 });
  },
  subscribers: () => track.subscribers,
  async write({ from, count, frames }) {
    for (let sequence = from; sequence < from + count; sequence++) {
      const group = track.group(sequence);
      for (let frame = 0; frame < frames; frame++) group.write(payloadOf(sequence, frame));
      group.close();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
  begin(frames) {
    const group = track.group();
    for (let frame = 0; frame < frames; frame++) group.write(payloadOf(group.sequence, frame));
    open = group;
  },
  cut: () => open.abort(),
  datagram: (words) => track.datagram(bytes(words)),
  endTrack: () => track.close(),
  async announced() {
    const news = client.announced();
    const { path, active } = (await news.next())!;
    news.close();
    return { path, active };
  },
  watch(path) {
    const subscription = client.subscribe(path, "data", { maxLatencyMs: 2_000, startGroup: 0 });
    subscription.ondatagram = ({ payload }) => seen.datagrams.push(text(payload));
    readTrack(subscription).catch((error) => seen.error = String(error));
  },
  seen: () => seen,
  async fetch(path, sequence) {
    const into = { sequence, frames: [], cut: false };
    await readGroup(await client.fetch(path, "data", sequence), into);
    return into;
  },
  close: (code, reason) => client.close(code, reason),
  async closed() {
    const { code, reason, abrupt } = await client.closed;
    return { code, reason, abrupt };
  },
  async opens(url, hash) {
    half = await (await bare(url, hash)).openUni({ sendOrder: 5 });
    await half.flush(bytes("half"));
  },
  async resets(code) {
    half.reset(code);
    return await half.closed;
  },
  async stops(url, hash, code) {
    const stream = (await (await bare(url, hash)).acceptUni())!;
    const first = text((await stream.read())!);
    const next = stream.read();
    stream.stop(code);
    return `${first}, then ${await next}`;
  },
  uncaught: () => uncaught,
};

Object.assign(globalThis, { ours: page });
