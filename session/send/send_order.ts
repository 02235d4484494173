/**
 * Which group streams of a session go first when bandwidth is short: the higher priority; then the older subscription; then
 * the newer group. Sequence numbers are compared within one subscription only, so it does not matter how a track counts.
 *
 * The transport takes one positive number of 31 bits: 8 of priority, 10 of subscription, 13 of the group's turn. Turns and
 * places are given out in order, and again from the start before they run out.
 *
 * @module
 */
import type { Subgroup } from "../../relay/group/group.ts";

const TURN_BITS = 13;
const PLACE_BITS = 10;
/** The highest turn, and the last place. Control streams go before the first place. */
export const MAX_TURN = 2 ** TURN_BITS - 1;
export const LAST_PLACE = 2 ** PLACE_BITS - 2;

/** One of a session's subscriptions, by its place. */
export interface Ranked {
  /** 0 goes first. Called when the place has changed. */
  placed(place: number): void;
}

/** The subscriptions of one session, the oldest first. */
export class Places {
  readonly #ranked = new Set<Ranked>();
  #next = 0;

  /** Gives a new subscription the last place. */
  enter(ranked: Ranked): void {
    this.#ranked.add(ranked);
    if (this.#next <= LAST_PLACE) return ranked.placed(this.#next++);
    // If more than half of the places are taken, the newest share the last one: moving all each time costs too much.
    if (this.#ranked.size > LAST_PLACE / 2) return ranked.placed(LAST_PLACE);
    this.#next = 0;
    for (const each of this.#ranked) each.placed(this.#next++);
  }

  leave(ranked: Ranked): void {
    this.#ranked.delete(ranked);
  }
}

/** A group on its way out. */
export interface Turned {
  /** Its turn among the groups of its subscription; above 0 once it has one. */
  turn: number;
  readonly sequence: number;
}

/** The turns of one subscription's groups; the newest goes first. Nothing is allocated for a group. */
export class Turns<T extends Turned> {
  readonly #running: Iterable<T>;
  readonly #onMoved: (one: T) => void;
  readonly #maxTurn: number;
  #newest = -1;
  #last = 0;

  /**
   * @param running The groups on their way out. One without a turn is skipped.
   * @param onMoved Called for each group whose turn has changed.
   */
  constructor(running: Iterable<T>, onMoved: (one: T) => void, maxTurn = MAX_TURN) {
    this.#running = running;
    this.#onMoved = onMoved;
    this.#maxTurn = maxTurn;
  }

  /** Gives a group its turn. Subgroups of one group share it. */
  take(one: T): void {
    if (one.sequence <= this.#newest) {
      one.turn = one.sequence === this.#newest ? this.#last : this.#before(one.sequence);
      return;
    }
    if (this.#last === this.#maxTurn) this.#anew();
    this.#newest = one.sequence;
    one.turn = ++this.#last;
  }

  /** The turn of the group itself or of the newest older one, or else one before all newer groups. */
  #before(sequence: number): number {
    let older = 0;
    let newer = this.#last;
    for (const other of this.#running) {
      if (other.turn === 0) continue;
      if (other.sequence > sequence) newer = Math.min(newer, other.turn);
      else older = Math.max(older, other.turn);
    }
    return older > 0 ? older : Math.max(1, newer - 1);
  }

  #anew(): void {
    const turned = [...this.#running].filter(({ turn }) => turn > 0);
    turned.sort((a, b) => a.sequence - b.sequence);
    this.#last = 0;
    let before = -1;
    for (const one of turned) {
      // Only a peer that takes nothing has as many groups on their way as there are turns. Then the newest share one.
      if (one.sequence !== before) this.#last = Math.min(this.#last + 1, this.#maxTurn - 1);
      before = one.sequence;
      one.turn = this.#last;
      this.#onMoved(one);
    }
  }
}

/** The send order for the transport; the highest goes first. */
export function sendOrder(priority: number, place: number, turn: number): number {
  return (priority << (PLACE_BITS + TURN_BITS)) + ((LAST_PLACE - place) << TURN_BITS) + turn;
}

/** How the streams of a session's subscriptions are ordered. All of a session have the same. */
export interface SendOrder {
  /** The highest turn it has room for. */
  readonly maxTurn: number;
  /**
   * The number for the transport; the highest goes first.
   * @param priority The subscriber's. @param trackPriority The publisher's, of subgroups that have none of their own.
   */
  of(
    priority: number,
    place: number,
    turn: number,
    subgroup: Subgroup,
    trackPriority: number,
  ): number;
}

/** Of groups that are one stream each. */
export const GROUP_ORDER: SendOrder = { maxTurn: MAX_TURN, of: sendOrder };
