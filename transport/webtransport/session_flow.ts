/**
 * Flow control of a WebTransport session (draft-ietf-webtrans-http3 §5): how many streams and bytes each side may send. The
 * limits of QUIC hold as well. It is in use when both sides have limits in their SETTINGS; we always do.
 *
 * @module
 */
import { Capsule, capsuleFrame, capsuleNumber, MAX_STREAMS } from "../../wire/h3/capsules.ts";
import { H3Error, H3Violation } from "../../wire/h3/errors.ts";
import { type FlowWindow, Setting } from "../../wire/h3/settings.ts";
import type { SendCredit } from "../quic/quic_stream.ts";

/** Less credit than this waits for a moment, so that a peer cannot make us write single bytes. */
const GRAIN_BYTES = 4096;
/** How long it waits. A peer with a small window still makes progress. */
const SAVE_UP_MS = 20;

/** Kinds of streams. */
export type StreamKind = "uni" | "bidi";

/** A limit and its used part. Both only grow. */
class Allowance {
  used = 0;
  /** The last limit that was reported as blocking. */
  #toldAt = -Infinity;
  #saving: ReturnType<typeof setTimeout> | undefined;
  readonly #waiting: (() => void)[] = [];

  /** @param grain Less than this waits, and a limit that grew by less is not reported again. */
  constructor(
    public most: number,
    readonly blocked: (most: number) => void,
    readonly grain = 1,
  ) {}

  get left(): number {
    return Math.max(0, this.most - this.used);
  }
  /** Waits for more: calls back once, and the callback takes some. The other side is told once per limit. */
  wait(callback: () => void): void {
    this.#waiting.push(callback);
    this.#tell();
  }
  /** @throws {H3Violation} A limit never shrinks. */
  raise(most: number): void {
    if (most < this.most) {
      throw new H3Violation(
        H3Error.flowControl,
        "capsule",
        `a limit of ${most} after ${this.most}`,
      );
    }
    this.most = most;
    if (this.left >= this.grain) return this.#wake();
    if (this.#waiting.length > 0) this.#saving ??= setTimeout(this.#wake, SAVE_UP_MS);
  }
  /** There will be no more: calls all that wait. */
  end(): void {
    clearTimeout(this.#saving);
    for (const callback of this.#waiting.splice(0)) callback();
  }
  readonly #wake = (): void => {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    while (this.left > 0 && this.#waiting.length > 0) this.#waiting.shift()!();
    if (this.#waiting.length > 0) this.#tell();
  };
  #tell(): void {
    if (this.most - this.#toldAt < this.grain) return;
    this.#toldAt = this.most;
    this.blocked(this.most);
  }
}

export class SessionFlow implements SendCredit {
  readonly #send: (frame: Uint8Array) => void;
  readonly #window: FlowWindow;
  readonly #streams: Readonly<Record<StreamKind, Allowance>>;
  readonly #data: Allowance;
  /** The limits of the peer as last announced, and what it has used. */
  readonly #theirs: Readonly<Record<StreamKind | "data", { most: number; used: number }>>;
  #over = false;

  /**
   * @param peer The peer's SETTINGS.
   * @param window The peer's limits are kept this far above what it has used.
   * @param send Sends a frame on the CONNECT stream.
   * @returns `undefined` when the peer has no limits: then there is no flow control.
   */
  static between(
    peer: ReadonlyMap<number, number>,
    window: FlowWindow,
    send: (frame: Uint8Array) => void,
  ): SessionFlow | undefined {
    const { initialMaxData, initialMaxStreamsBidi, initialMaxStreamsUni } = Setting;
    const of = (id: number) => peer.get(id) ?? 0;
    if (of(initialMaxData) + of(initialMaxStreamsBidi) + of(initialMaxStreamsUni) === 0) {
      return undefined;
    }
    const limits = {
      data: of(initialMaxData),
      bidi: of(initialMaxStreamsBidi),
      uni: of(initialMaxStreamsUni),
    };
    return new SessionFlow(limits, window, send);
  }

  private constructor(peer: FlowWindow, window: FlowWindow, send: (frame: Uint8Array) => void) {
    this.#send = send;
    this.#window = window;
    const blocked = (type: number) => (most: number) => send(capsuleFrame(type, most));
    this.#data = new Allowance(peer.data, blocked(Capsule.dataBlocked), GRAIN_BYTES);
    this.#streams = {
      bidi: new Allowance(peer.bidi, blocked(Capsule.streamsBlockedBidi)),
      uni: new Allowance(peer.uni, blocked(Capsule.streamsBlockedUni)),
    };
    const told = (most: number) => ({ most, used: 0 });
    this.#theirs = { data: told(window.data), bidi: told(window.bidi), uni: told(window.uni) };
  }

  /** Waits until we may open one more stream, and counts it. Also fulfils when the session is over. */
  async opening(kind: StreamKind): Promise<void> {
    const streams = this.#streams[kind];
    const take = () => void streams.used++;
    if (this.#over || streams.left > 0) return take();
    await new Promise<void>((resolve) => streams.wait(() => resolve(take())));
  }
  take(wanted: number): number {
    const taken = Math.min(wanted, this.#data.left);
    this.#data.used += taken;
    return taken;
  }
  wait(callback: () => void): void {
    this.#data.wait(callback);
  }

  /** Counts a stream of the peer. @throws {H3Violation} It was one too many. */
  opened(kind: StreamKind): void {
    const type = kind === "uni" ? Capsule.maxStreamsUni : Capsule.maxStreamsBidi;
    this.#used(kind, 1, type, MAX_STREAMS);
  }
  /** Counts bytes of the peer. @throws {H3Violation} They were too many. */
  received(bytes: number): void {
    this.#used("data", bytes, Capsule.maxData, Number.MAX_SAFE_INTEGER);
  }
  /** Handles a capsule of the peer. @throws {ProtocolViolation} */
  read(type: number, payload: Uint8Array): void {
    const value = capsuleNumber(payload);
    if (type === Capsule.maxData) this.#data.raise(value);
    else if (type === Capsule.maxStreamsUni) this.#raise("uni", value);
    else if (type === Capsule.maxStreamsBidi) this.#raise("bidi", value);
  }
  /** Ends all waits, because the session is over. */
  end(): void {
    this.#over = true;
    for (const allowance of [this.#data, ...Object.values(this.#streams)]) allowance.end();
  }

  #raise(kind: StreamKind, most: number): void {
    if (most > MAX_STREAMS) {
      throw new H3Violation(H3Error.flowControl, "capsule", `${most} streams, at most 2^60`);
    }
    this.#streams[kind].raise(most);
  }
  #used(what: StreamKind | "data", count: number, capsule: number, ceiling: number): void {
    const theirs = this.#theirs[what];
    theirs.used += count;
    if (theirs.used > theirs.most) {
      const detail = `${theirs.used} where ${theirs.most} are allowed (${what})`;
      throw new H3Violation(H3Error.flowControl, "WebTransport session", detail);
    }
    // Not with every byte, but when half of the window is used.
    if (theirs.most - theirs.used > this.#window[what] / 2) return;
    const most = Math.min(theirs.used + this.#window[what], ceiling);
    if (most <= theirs.most) return;
    theirs.most = most;
    this.#send(capsuleFrame(capsule, most));
  }
}
