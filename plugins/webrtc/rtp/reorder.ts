import type { RtpPacket } from "werift";

/** More packets than this are not kept for one that is missing. */
const MAX_WAITING = 1024;

/** Puts packets in the order they were sent in; what has not come within a while is given up. */
export class Reorder {
  readonly #waitMs: number;
  readonly #onlost: () => void;
  readonly #waiting = new Map<number, RtpPacket>();
  #next: number | undefined;
  #waitingSinceMs = 0;

  /** @param onlost Packets are missing before the one that comes next. */
  constructor(waitMs: number, onlost: () => void) {
    this.#waitMs = waitMs;
    this.#onlost = onlost;
  }

  /** Hands on what is in order now. @param nowMs Must not run backwards. */
  push(packet: RtpPacket, nowMs: number, hand: (packet: RtpPacket) => void): void {
    const { sequenceNumber } = packet.header;
    this.#next ??= sequenceNumber;
    if (ahead(sequenceNumber, this.#next) < 0) return; // twice, or too late
    if (this.#waiting.size === 0) this.#waitingSinceMs = nowMs;
    this.#waiting.set(sequenceNumber, packet);
    if (sequenceNumber !== this.#next && this.#isOver(nowMs)) this.#giveUp();
    for (let found; (found = this.#waiting.get(this.#next)) !== undefined;) {
      this.#waiting.delete(this.#next);
      this.#next = (this.#next + 1) & 0xffff;
      this.#waitingSinceMs = nowMs;
      hand(found);
    }
  }

  #isOver(nowMs: number): boolean {
    return nowMs - this.#waitingSinceMs > this.#waitMs || this.#waiting.size > MAX_WAITING;
  }

  /** Goes on with the earliest there is. */
  #giveUp(): void {
    const from = this.#next!;
    let nearest = Infinity;
    for (const sequence of this.#waiting.keys()) {
      nearest = Math.min(nearest, ahead(sequence, from));
    }
    this.#next = (from + nearest) & 0xffff;
    this.#onlost();
  }
}

/** How far a sequence number is behind another, by the shorter way around: -32,768 to 32,767. */
function ahead(sequence: number, from: number): number {
  return (sequence - from) << 16 >> 16;
}
