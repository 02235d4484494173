/**
 * What the tests of the session layer share: a relay on a clock that stands still, clients of any version at it, and a
 * peer that says and hears spelled-out bytes.
 *
 * Everything runs over memory pairs, which work in microtasks alone: after {@link tick} whatever can happen has happened.
 *
 * @module
 */
import assert from "node:assert/strict";
import { IetfPeer, type PeerOptions } from "../tests/support/ietf_peer.ts";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { Client, type ClientOptions } from "../client/client.ts";
import type { GroupReader } from "../client/frames.ts";
import type { Subscription } from "../client/subscription.ts";
import { Relay, type RelayOptions } from "../server/relay.ts";
import type { BidiStream, ReceiveStream, SendStream } from "../transport/connection.ts";
import { StreamReset } from "../transport/errors.ts";
import {
  type MemoryConnection,
  memoryPair,
  type MemoryPairOptions,
} from "../transport/memory/memory.ts";
import { type Draft, profileOf } from "../wire/ietf/profile.ts";
import { type Dialect, DIALECTS, type LiteVersion } from "../wire/lite/dialect.ts";
import { alpnOf } from "../wire/versions.ts";

/** Lets everything happen that can happen without time going by. */
export async function tick(times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await new Promise<void>((resolve) => setTimeout(resolve, 0));
}

export function lite(version: LiteVersion): Dialect {
  return DIALECTS.find((dialect) => dialect.version === version)!;
}

export const VERSIONS: readonly LiteVersion[] = DIALECTS.map(({ version }) => version).toReversed();

export interface TestRelay {
  readonly relay: Relay;
  readonly clock: ManualClock;
}

/** A relay with hop 777 on a clock of its own. */
export function testRelay(options: Partial<RelayOptions> = {}): TestRelay {
  const clock = new ManualClock();
  const relay = new Relay({ hop: 777n, clock, groupCacheSize: 16, ...options });
  return { relay, clock: options.clock as ManualClock ?? clock };
}

export interface JoinedClient {
  readonly client: Client;
  /** The client's end of the connection, and the relay's. */
  readonly near: MemoryConnection;
  readonly far: MemoryConnection;
}

/** A client of our own at a relay, speaking one version. */
export async function join(
  { relay, clock }: TestRelay,
  version: LiteVersion,
  pair: MemoryPairOptions = {},
  options: ClientOptions = {},
): Promise<JoinedClient> {
  const { name } = lite(version);
  const [near, far] = memoryPair({ protocol: alpnOf(name), ...pair });
  void relay.accept(far);
  const client = await Client.over(near, { versions: [name], clock, ...options });
  await tick();
  return { client, near, far };
}

/** A scripted peer of moq-transport at a relay. SETUP is through. */
export async function peerAt(
  { relay }: TestRelay,
  draft: Draft,
  pair: MemoryPairOptions = {},
  options: PeerOptions = {},
): Promise<IetfPeer> {
  const [near, far] = memoryPair({ protocol: profileOf(draft).alpn, ...pair });
  void relay.accept(far);
  const peer = await IetfPeer.client(near, draft, options);
  await peer.setup();
  return peer;
}

/** Links two relays: `from` dials `to`. */
export async function link(
  from: Relay,
  to: Relay,
  version: LiteVersion,
  pair: MemoryPairOptions = {},
): Promise<[near: MemoryConnection, far: MemoryConnection]> {
  const [near, far] = memoryPair({ protocol: alpnOf(lite(version).name), ...pair });
  void to.accept(far);
  await from.join(near);
  await tick();
  return [near, far];
}

/** What a subscription brings, written down as it comes. */
export class Viewer {
  /** Frames per group, as text. */
  readonly groups = new Map<number, string[]>();
  /** Timestamps per group. */
  readonly timestamps = new Map<number, number[]>();
  /** Every group in the order in which they came, also one that came twice. */
  readonly came: number[] = [];
  /** Groups that are through, and those that were cut. */
  readonly whole: number[] = [];
  readonly cut: number[] = [];
  /** "ended", or why it failed. */
  end: string | undefined;
  readonly done: Promise<void>;

  constructor(readonly subscription: Subscription) {
    this.done = this.#run();
  }

  text(sequence: number): string {
    return (this.groups.get(sequence) ?? []).join(",");
  }

  async #run(): Promise<void> {
    const reading: Promise<void>[] = [];
    try {
      for (;;) {
        const group = await this.subscription.group();
        if (group === undefined) break;
        reading.push(this.#read(group));
      }
      this.end = "ended";
    } catch (error) {
      this.end = (error as { why?: string }).why ?? String(error);
    }
    await Promise.all(reading);
  }

  async #read(group: GroupReader): Promise<void> {
    const frames: string[] = [];
    const stamps: number[] = [];
    this.came.push(group.sequence);
    this.groups.set(group.sequence, frames);
    this.timestamps.set(group.sequence, stamps);
    try {
      for await (const { payload, timestamp } of group) {
        frames.push(new TextDecoder().decode(payload));
        stamps.push(timestamp);
      }
      this.whole.push(group.sequence);
    } catch {
      this.cut.push(group.sequence);
    }
  }
}

/** Bytes from pairs of hexadecimal digits and "quoted text". */
export function hex(text: string): Uint8Array {
  const out: number[] = [];
  for (const [, quoted, pair] of text.matchAll(/"([^"]*)"|([0-9a-fA-F]{2})/g)) {
    if (quoted !== undefined) out.push(...new TextEncoder().encode(quoted));
    else out.push(parseInt(pair!, 16));
  }
  return Uint8Array.from(out);
}

/** The same way of writing for all bytes. */
export function show(bytes: Uint8Array): string {
  return bytes.toHex().replace(/..(?=.)/g, "$& ");
}

/** One stream of a {@link RawPeer}: what it received so far, and how it ended. */
export class RawStream {
  readonly #got: number[] = [];
  /** "fin", "reset 51", or "lost". */
  end: string | undefined;
  /** "finished", "reset", "stopped" or "lost", once our sending half is over. */
  sent: string | undefined;

  constructor(readonly send: SendStream | undefined, readonly receive: ReceiveStream | undefined) {
    if (receive !== undefined) void this.#read(receive);
    send?.closed.then((end) => this.sent = end);
  }

  get hex(): string {
    return show(Uint8Array.from(this.#got));
  }

  /** What came since the last time, in the notation of {@link show}. */
  take(): string {
    const out = this.hex;
    this.#got.length = 0;
    return out;
  }

  /** Sends bytes, in the notation of {@link hex}. */
  say(text: string, fin = false): this {
    this.send!.write(hex(text));
    if (fin) this.send!.finish();
    return this;
  }

  /** Expects exactly these bytes since the last time. */
  async hears(text: string, end?: string): Promise<void> {
    await tick();
    assert.equal(this.take(), show(hex(text)));
    assert.equal(this.end, end);
  }

  async #read(receive: ReceiveStream): Promise<void> {
    try {
      for (;;) {
        const chunk = await receive.read();
        if (chunk === undefined) break;
        this.#got.push(...chunk);
      }
      this.end = "fin";
    } catch (error) {
      this.end = error instanceof StreamReset ? `reset ${error.peerCode}` : "lost";
    }
  }
}

/** A peer without any code of ours: bytes out, bytes in. */
export class RawPeer {
  /** Streams the other side opened, in order, and those taken by {@link nextUni} and {@link nextBidi} removed. */
  readonly unis: RawStream[] = [];
  readonly bidis: RawStream[] = [];
  #code: number | undefined;

  constructor(readonly connection: MemoryConnection) {
    void this.#uni();
    void this.#bidi();
    connection.closed.then((info) => this.#code = info.code);
  }

  /** What the connection was closed with, once it is. */
  get code(): number | undefined {
    return this.#code;
  }

  /** Joins a relay, without a word of its own. */
  static at({ relay }: TestRelay, protocol: string, pair: MemoryPairOptions = {}): RawPeer {
    const [near, far] = memoryPair({ protocol, ...pair });
    void relay.accept(far);
    return new RawPeer(near);
  }

  /** Is dialed by a relay, without a word of its own. */
  static async dialed({ relay }: TestRelay, protocol: string): Promise<RawPeer> {
    const [near, far] = memoryPair({ protocol });
    await relay.join(near);
    return new RawPeer(far);
  }

  /** Opens a stream and says this on it. */
  async uni(text: string, fin = false): Promise<RawStream> {
    return new RawStream(await this.connection.openUni(), undefined).say(text, fin);
  }

  async bidi(text: string, fin = false): Promise<RawStream> {
    const { send, receive }: BidiStream = await this.connection.openBidi();
    return new RawStream(send, receive).say(text, fin);
  }

  /** The oldest stream the other side opened and nobody took yet. */
  async nextUni(): Promise<RawStream> {
    await tick();
    return this.unis.shift() ?? assert.fail("no unidirectional stream came");
  }

  async nextBidi(): Promise<RawStream> {
    await tick();
    return this.bidis.shift() ?? assert.fail("no bidirectional stream came");
  }

  async #uni(): Promise<void> {
    for (;;) {
      const receive = await this.connection.acceptUni();
      if (receive === undefined) return;
      this.unis.push(new RawStream(undefined, receive));
    }
  }

  async #bidi(): Promise<void> {
    for (;;) {
      const stream = await this.connection.acceptBidi();
      if (stream === undefined) return;
      this.bidis.push(new RawStream(stream.send, stream.receive));
    }
  }
}
