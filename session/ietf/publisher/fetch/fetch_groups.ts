/**
 * The groups of a range, one after another. Those that nobody has cost a few questions, however many they are.
 *
 * @module
 */
import type { Broadcast } from "../../../../relay/broadcast.ts";
import { NotFound, SourceLost } from "../../../../relay/errors.ts";
import type { Group } from "../../../../relay/group/group.ts";
import type { HopId } from "../../../../relay/route.ts";
import type { Track } from "../../../../relay/track.ts";
import type { GroupOrder } from "../../../../wire/ietf/fields.ts";

/** After so many missing groups in a row only those that are kept are looked at. */
const MAX_MISSES = 3;

export interface FetchGroupsOptions {
  readonly broadcast: Broadcast;
  readonly track: Track;
  readonly first: number;
  readonly last: number;
  readonly order: GroupOrder;
  /** As of the core: higher goes first. */
  readonly priority: number;
  readonly peerHop: HopId;
}

/** What was found at the next place of a range. */
export interface FoundGroup {
  /** Retained for the caller, who releases it; absent for groups that nobody has. */
  readonly group: Group | undefined;
  /** Its number, or that of the last missing one in the order of the fetch. */
  readonly sequence: number;
}

export class FetchGroups {
  readonly #o: FetchGroupsOptions;
  #next: number | undefined;
  #misses = 0;

  constructor(options: FetchGroupsOptions) {
    this.#o = options;
    this.#next = options.order === "ascending" ? options.first : options.last;
  }

  /** The next group, or some that are missing; `undefined` at the end. */
  async next(): Promise<FoundGroup | undefined> {
    const sequence = this.#next;
    if (sequence === undefined) return undefined;
    const group = await this.#fetch(sequence);
    if (group !== undefined) this.#misses = 0;
    else if (++this.#misses >= MAX_MISSES) return this.#skip(sequence);
    this.#next = this.#within(sequence + this.#step);
    return { group, sequence };
  }

  get #step(): 1 | -1 {
    return this.#o.order === "ascending" ? 1 : -1;
  }

  #within(sequence: number): number | undefined {
    const { first, last } = this.#o;
    return sequence < first || sequence > last ? undefined : sequence;
  }

  /** Goes on with the next group that is kept. */
  #skip(sequence: number): FoundGroup {
    const { track, first, last, order } = this.#o;
    const kept = track.ring.since(first).map((one) => one.sequence).filter((one) => one <= last);
    this.#next = order === "ascending"
      ? kept.find((one) => one > sequence)
      : kept.findLast((one) => one < sequence);
    if (this.#next !== undefined) return { group: undefined, sequence: this.#next - this.#step };
    return { group: undefined, sequence: order === "ascending" ? last : first };
  }

  async #fetch(sequence: number): Promise<Group | undefined> {
    const { broadcast, track, priority, peerHop } = this.#o;
    try {
      const request = { group: sequence, priority, partial: true };
      return await broadcast.fetchGroup(track.broadcast, track.name, request, peerHop);
    } catch (error) {
      if (error instanceof NotFound || error instanceof SourceLost) return undefined;
      throw error;
    }
  }
}
