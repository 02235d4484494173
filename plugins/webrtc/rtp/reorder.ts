import type { RtpPacket } from "werift";

/** Most packets that wait for a missing one. */
const MAX_WAITING = 1024;

/** Puts packets in the order in which they were sent. A packet that does not come in time is given up. */
export class Reorder {
  readonly #waitMs: number;
  readonly #onlost: () => void;
  readonly #waiting = new Map<number, RtpPacket>();
  #next: number | undefined;
  #waitingSinceMs = 0;

  /** @param onlost Called when packets are missing before the next one. */
  constructor(waitMs: number, onlost: () => void) {
    this.#waitMs = waitMs;
    this.#onlost = onlost;
  }

  /** Takes a packet, and gives out those that are in order now. @param nowMs Must not run backwards. */
  push(packet: RtpPacket, nowMs: number, hand: (packet: RtpPacket) => void): void {
    const { sequenceNumber } = packet.header;
    this.#next ??= sequenceNumber;
    if (ahead(sequenceNumber, this.#next) < 0) return; // a repeated or a late packet
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

  /** Continues with the earliest packet. */
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
