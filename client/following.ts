import { Bell } from "../base/bell.ts";
import type { GroupCursor, Subgroup } from "../relay/group/group.ts";

/** A place in a subgroup that grows. It keeps the subgroup's memory until it is closed. */
export class Following {
  /** Bytes that were read. */
  position = 0;
  /** The memory was needed elsewhere: the unread rest is lost. */
  lost = false;
  #closed = false;
  readonly #bell = new Bell();
  readonly #cursor: GroupCursor = {
    slot: -1,
    pump: () => this.#bell.ring(),
    evicted: () => this.#evicted(),
  };

  constructor(readonly subgroup: Subgroup) {
    subgroup.attach(this.#cursor);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether the end that was reached is not that of the publisher. */
  get wasCut(): boolean {
    return this.lost || !this.#closed && this.subgroup.state === "cut";
  }

  /** The bytes from here on, as far as they are contiguous. */
  get slice(): Uint8Array {
    return this.subgroup.slice(this.position);
  }

  /** Waits for more bytes. @returns false when none will come. @throws The signal's reason. */
  async available(signal: AbortSignal | undefined): Promise<boolean> {
    const { subgroup } = this;
    while (subgroup.bytes <= this.position) {
      if (subgroup.state !== "open" || this.#closed) return false;
      await this.#bell.wait(signal);
    }
    return !this.lost;
  }

  /** Reads as much as there is of a payload. @param at Where it goes in `into`. @returns How many bytes. */
  read(into: Uint8Array, at: number): number {
    const piece = this.slice.subarray(0, into.length - at);
    into.set(piece, at);
    this.position += piece.length;
    return piece.length;
  }

  /** Lets go of the subgroup. @returns false when it was closed before. */
  close(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.lost = false;
    this.subgroup.detach(this.#cursor);
    this.#bell.ring();
    return true;
  }

  #evicted(): void {
    const { state, bytes } = this.subgroup;
    if (this.#closed || state === "complete" && this.position === bytes) return;
    this.close();
    this.lost = true;
  }
}
