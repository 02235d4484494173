/**
 * Where tests of moq-transport play: a relay over memory pairs, over real QUIC, over WebTransport, and with two workers;
 * and how its peers come to watch each other.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Client } from "../../../client/client.ts";
import { connect } from "../../../client/mod.ts";
import { Relay } from "../../../server/relay.ts";
import type { Connection } from "../../../transport/connection.ts";
import { memoryPair, type MemoryPairOptions } from "../../../transport/memory/memory.ts";
import type { Messages } from "../../../wire/ietf/dialect.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import { type Draft, profileOf } from "../../../wire/ietf/profile.ts";
import { alpnOf, type Version } from "../../../wire/versions.ts";
import { type Ask, IetfPeer, ns, type PeerOptions, raw } from "../ietf_peer.ts";
import { launch, type Launched, type LaunchOptions } from "../server.ts";

/** What a peer brings along, and which worker it comes to. */
export interface Guest extends PeerOptions {
  readonly worker?: 0 | 1;
  readonly pair?: MemoryPairOptions;
}

/** A relay that is open for peers. All that join leave with it. */
export interface Stage extends AsyncDisposable {
  readonly name: string;
  /** Whether its connections have resets. */
  readonly resets: boolean;
  /** The server, where it is a whole one. */
  readonly server?: Launched;
  /** The relay, where it is one in memory. */
  readonly relay?: Relay;
  /** A scripted peer. SETUP is through. */
  peer(draft: Draft, guest?: Guest): Promise<IetfPeer>;
  /** A client of our own. */
  client(version: Version, worker?: 0 | 1): Promise<Client>;
  /** Sends all away. */
  clear(): Promise<void>;
}

/** A relay over memory pairs, on the real clock. */
export function memoryStage(options: Partial<ConstructorParameters<typeof Relay>[0]> = {}): Stage {
  const relay = new Relay({ hop: 777n, groupCacheSize: 16, ...options });
  // The relay's own timers keep no process alive, and there is no socket.
  const awake = setInterval(() => {}, 1000);
  let guests: Connection[] = [];
  const clear = async () => {
    for (const guest of guests) guest.close();
    await Promise.all(guests.map(({ closed }) => closed));
    guests = [];
  };
  const near = (protocol: string, pair: MemoryPairOptions = {}) => {
    const [near, far] = memoryPair({ protocol, ...pair });
    void relay.accept(far);
    guests.push(near);
    return near;
  };
  return {
    name: "memory",
    resets: true,
    relay,
    async peer(draft, { pair, ...guest } = {}) {
      const peer = await IetfPeer.client(near(profileOf(draft).alpn, pair), draft, guest);
      await peer.setup();
      return peer;
    },
    client: (version) => Client.over(near(alpnOf(version)), { versions: [version] }),
    clear,
    async [Symbol.asyncDispose]() {
      await relay.close();
      await clear();
      clearInterval(awake);
    },
  };
}

/** A whole server on 127.0.0.1. @param scheme The transport of the scripted peers. */
export async function serverStage(
  scheme: "moqt" | "https" = "moqt",
  options: LaunchOptions = {},
): Promise<Stage> {
  const server = await launch(options);
  const { sha256: hash } = server.certificate;
  let guests = new AsyncDisposableStack();
  const clear = async () => {
    const leaving = guests;
    guests = new AsyncDisposableStack();
    await leaving.disposeAsync();
  };
  const several = Number(options.flags?.["server.workers"] ?? 1) > 1;
  const url = (worker: number) => `${scheme}://127.0.0.1:${server.port + (several ? worker : 0)}/`;
  return {
    name: `${several ? "workers, " : ""}${scheme}`,
    resets: false,
    server,
    async peer(draft, { worker = 0, pair: _, ...guest } = {}) {
      const peer = guests.use(await IetfPeer.dial(url(worker), draft, { hash, ...guest }));
      await peer.setup();
      return peer;
    },
    async client(version, worker = 0) {
      return guests.use(await connect(url(worker), { hash, versions: [version] }));
    },
    clear,
    async [Symbol.asyncDispose]() {
      await clear();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A namespace that no other test uses. */
export function freshNamespace(): string[] {
  return ["test", crypto.randomUUID().slice(0, 8)];
}

/** A publisher that has published a namespace. */
export async function publisherOf(
  stage: Stage,
  draft: Draft,
  fields: readonly string[],
  guest?: Guest,
): Promise<IetfPeer> {
  const peer = await stage.peer(draft, guest);
  const news = await peer.ask("publishNamespace", { namespace: ns(...fields) });
  await news.expect("requestOk");
  return peer;
}

/** A track from its publisher to a viewer. */
export interface Path {
  readonly publisher: IetfPeer;
  readonly viewer: IetfPeer;
  /** The request that came to the publisher, and the viewer's. */
  readonly up: Ask;
  readonly down: Ask;
  /** What the viewer was told. */
  readonly ok: Messages["subscribeOk"];
  readonly fields: readonly string[];
}

export interface PathOptions {
  readonly from: Draft;
  readonly to: Draft;
  /** What the viewer wishes. */
  readonly wishes?: Parameters;
  /** What the publisher says of its track. */
  readonly accepts?: Partial<Messages["subscribeOk"]>;
  readonly pair?: MemoryPairOptions;
  readonly hold?: Promise<void>;
}

/** The alias that publishers here give. */
export const ALIAS = 7;

/** Publisher and viewer at two workers, if there are, and a subscription through the relay. */
export async function path(stage: Stage, options: PathOptions): Promise<Path> {
  const fields = freshNamespace();
  const { pair, hold } = options;
  const publisher = await publisherOf(stage, options.from, fields);
  const viewer = await stage.peer(options.to, {
    worker: 1,
    ...(pair && { pair }),
    ...(hold && { hold }),
  });
  await heardOf(viewer, fields);
  const down = await askFor(viewer, fields, options.wishes);
  const up = await publisher.asked("subscribe");
  up.say("subscribeOk", { alias: ALIAS, ...options.accepts });
  return { publisher, viewer, up, down, ok: await down.expect("subscribeOk"), fields };
}

/** Waits until a namespace has reached the worker of this peer. */
export async function heardOf(peer: IetfPeer, fields: readonly string[]): Promise<void> {
  const ask = await peer.ask("subscribeNamespace", { prefix: ns(...fields), wanted: "namespaces" });
  await ask.expect("requestOk");
  if (peer.profile.namespaceStream) await ask.expect("namespace");
  else (await peer.asked("publishNamespace")).say("requestOk");
  ask.cancel();
}

/** Waits until so many tracks below a namespace have reached the worker of this peer, which is not one of its viewers. */
export async function offered(
  stage: Stage,
  draft: Draft,
  fields: readonly string[],
  count: number,
): Promise<void> {
  const peer = await stage.peer(draft, { worker: 1 });
  const kind = peer.dialect.has("subscribeTracks") ? "subscribeTracks" : "subscribeNamespace";
  await (await peer.ask(kind, { prefix: ns(...fields), wanted: "tracks" })).expect("requestOk");
  for (let i = 0; i < count; i++) await peer.asked("publish");
  peer.close();
}

/** Subscribes to the track "v" of a namespace, or another one. */
export async function askFor(
  viewer: IetfPeer,
  fields: readonly string[],
  parameters: Parameters = {},
  name = "v",
): Promise<Ask> {
  return await viewer.ask("subscribe", {
    namespace: ns(...fields),
    track: raw(name),
    parameters,
  });
}

/** Fails unless a request is refused with this code. */
export async function refused(ask: Ask, code: number): Promise<string> {
  const error = await ask.expect("requestError");
  assert.equal(error.code, code, error.reason);
  return error.reason;
}

/** Aliases of peers differ, so streams are compared without them. */
export function withoutAlias(stream: { toString(): string }): string {
  return `${stream}`.replace(/^\d+\//, "");
}
