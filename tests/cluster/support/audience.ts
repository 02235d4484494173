/**
 * Viewers of a numbered track that keep lists of what they got.
 *
 * @module
 */
import assert from "node:assert/strict";
import { reasonOf } from "../../../base/errors.ts";
import { sleep } from "../../../base/sleep.ts";
import { type Client, connect, type ConnectOptions } from "../../../client/mod.ts";
import type { LightSession, LightStream } from "../../../load/light.ts";
import { dialLight, lightTarget } from "../../../load/light_session.ts";
import { until } from "../../support/server.ts";
import { LIMIT_MS, type Site } from "./node.ts";
import { NUMBER_BYTES, numberOf, Record } from "./record.ts";
import { LASTING, type Numbered } from "./source.ts";

/** How long a viewer waits for a group that is late: none may be given up. */
const MAX_LATENCY_MS = 60_000;
/** Handshakes at a time. */
const DIALING = 20;
/** A relay refuses a broadcast that it has not heard of yet: after this pause it is asked again. */
const ASK_AGAIN_MS = 100;

/** Who only reads stays with a relay that hangs. */
const PATIENT = { idleTimeoutMs: 60_000, keepAliveMs: 500 };

/** Somebody who watches. */
export interface Viewer {
  /** "video 7 at b". */
  readonly name: string;
  /** The node that it was sent to first. */
  readonly node: Site;
  readonly record: Record;
  /** Why it does not get any more; absent while it does. */
  readonly over: string | undefined;
  close(): Promise<void>;
}

/** Viewers, and the source whose groups they must have. */
export class Audience implements AsyncDisposable {
  readonly viewers: readonly Viewer[];
  readonly #source: Numbered;

  constructor(source: Numbered, viewers: readonly Viewer[]) {
    this.#source = source;
    this.viewers = viewers;
  }

  /** Those who were sent to other nodes. */
  awayFrom(...dead: readonly Site[]): Audience {
    return new Audience(this.#source, this.viewers.filter(({ node }) => !dead.includes(node)));
  }

  /**
   * Waits until each viewer has every group up to one, and checks that nothing came twice or out of place.
   * @param to The newest whole group by default.
   * @param torn So many groups may have come to each viewer without their end.
   */
  async hasAll(to: number = this.#source.newest, torn = 0): Promise<void> {
    const late = () => this.viewers.filter(({ record }) => !record.has(to, torn));
    await until(() => late().length === 0, "groups", LIMIT_MS).catch(() => {}); // told below, with names
    const problems = this.viewers.flatMap(({ name, record, over }) => {
      const found = record.problems(to, torn);
      if (found.length === 0) return [];
      return [`${name}: ${[...found, ...(over === undefined ? [] : [over])].join("; ")}`];
    });
    assert.deepEqual(problems, []);
  }

  /** Waits for so many whole groups after the newest one now, and for all viewers to have them. @param torn As above. */
  async goesOn(groups: number, torn = 0): Promise<void> {
    const to = this.#source.newest + groups;
    await until(() => this.#source.newest >= to, "the source", LIMIT_MS);
    await this.hasAll(to, torn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.viewers.map((viewer) => viewer.close()));
  }
}

/** Viewers that only read, spread over nodes in turn: each has one session and no other. Fulfils when all have a group. */
export async function watchers(
  source: Numbered,
  nodes: readonly Site[],
  count: number = nodes.length,
): Promise<Audience> {
  const targets = new Map(
    await Promise.all(
      nodes.map(async (node) => [node, await lightTarget({ url: node.url }, "quic")] as const),
    ),
  );
  return await gathered(source, count, async (i) => {
    const node = nodes[i % nodes.length]!;
    const session = await dialLight(targets.get(node)!, { transport: PATIENT });
    return new Watcher(`${source.track} ${i} at ${node.name}`, node, session, source);
  });
}

/** Viewers of the client library. Each begins at a node in turn. @param urls What viewer i dials. */
export async function clients(
  source: Numbered,
  nodes: readonly Site[],
  count: number = nodes.length,
  options: ConnectOptions & {
    readonly urls?: (index: number) => string | readonly string[];
    /** Asks for the track again when it has ended, from the next group on: another publisher may have it. */
    readonly asksAgain?: boolean;
  } = {},
): Promise<Audience> {
  const { urls, asksAgain = false, ...rest } = options;
  return await gathered(source, count, async (i) => {
    const node = nodes[i % nodes.length]!;
    const url = urls?.(i) ?? node.url;
    const client = await connect(url as string, { ...LASTING, ...rest });
    return new Member(
      `${source.track} of client ${i} at ${node.name}`,
      node,
      client,
      source,
      asksAgain,
    );
  });
}

async function gathered(
  source: Numbered,
  count: number,
  open: (index: number) => Promise<Viewer>,
): Promise<Audience> {
  const viewers: Viewer[] = [];
  let next = 0;
  const line = async () => {
    while (next < count) viewers.push(await open(next++));
  };
  const audience = new Audience(source, viewers);
  const silent = () => viewers.filter(({ record }) => record.newest < 0);
  try {
    await Promise.all(Array.from({ length: Math.min(DIALING, count) }, line));
    await until(() => silent().length === 0, "a first group for every viewer", LIMIT_MS).catch(
      (error) => {
        const why = silent().map(({ name, over }) => `${name}: ${over ?? "nothing came"}`);
        throw new Error(`${error.message}: ${why.join("; ")}`);
      },
    );
    return audience;
  } catch (error) {
    await audience[Symbol.asyncDispose]();
    throw error;
  }
}

/** A light session. */
class Watcher implements Viewer {
  readonly record = new Record();
  over: string | undefined;
  readonly #session: LightSession;
  readonly #stop = new AbortController();
  #nextId = 0;

  constructor(
    readonly name: string,
    readonly node: Site,
    session: LightSession,
    source: Numbered,
  ) {
    this.#session = session;
    session.closed.then(({ reason }) => this.over ??= `its session has ended: ${reason}`);
    void this.#ask(source);
    void this.#accept();
  }

  async close(): Promise<void> {
    this.over ??= "closed";
    this.#stop.abort();
    this.#session.close();
    await this.#session.closed;
  }

  async #ask({ path, track }: Numbered): Promise<void> {
    try {
      while (this.record.newest < 0 && this.over === undefined) {
        const { ended } = await this.#session.subscribe(
          this.#nextId++,
          path,
          track,
          MAX_LATENCY_MS,
        );
        await ended;
        if (this.record.newest >= 0) this.over ??= "its subscription was ended";
        await sleep(ASK_AGAIN_MS, this.#stop.signal);
      }
    } catch (error) {
      this.over ??= reasonOf(error);
    }
  }

  async #accept(): Promise<void> {
    for (let stream; (stream = await this.#session.acceptGroup());) void this.#read(stream);
  }

  async #read(stream: LightStream): Promise<void> {
    const scan = this.#session.scan(
      stream,
      ({ sequence, prefix }) => this.record.frame(sequence, numberOf(prefix)),
    );
    try {
      for (let chunk; (chunk = await stream.read()) !== undefined;) scan.push(chunk);
    } catch { // It was reset: the group is not whole.
    }
  }
}

/** A client of the library. */
class Member implements Viewer {
  readonly record = new Record();
  over: string | undefined;
  readonly #client: Client;

  readonly #asksAgain: boolean;

  constructor(
    readonly name: string,
    readonly node: Site,
    client: Client,
    source: Numbered,
    asksAgain: boolean,
  ) {
    this.#asksAgain = asksAgain;
    this.#client = client;
    void this.#stay(source).catch((error) => this.over ??= reasonOf(error));
  }

  async close(): Promise<void> {
    this.over ??= "closed";
    await this.#client.close();
  }

  async #stay(source: Numbered): Promise<void> {
    do {
      await this.#read(source).catch((error) => {
        if (!this.#asksAgain) throw error;
      });
      if (this.#asksAgain) await sleep(ASK_AGAIN_MS);
    } while (this.#asksAgain && this.over === undefined);
    this.over ??= "its subscription was ended";
  }

  async #read({ path, track }: Numbered): Promise<void> {
    const { newest } = this.record;
    const subscription = this.#client.subscribe(path, track, {
      ordered: true,
      maxLatencyMs: MAX_LATENCY_MS,
      ...(newest < 0 ? {} : { startGroup: newest + 1 }),
    });
    for await (const group of subscription) {
      try {
        for await (const { payload } of group) {
          const view = new DataView(payload.buffer, payload.byteOffset, NUMBER_BYTES);
          this.record.frame(group.sequence, numberOf(view));
        }
      } catch { // It was cut short: its record is not whole.
      }
    }
  }
}
