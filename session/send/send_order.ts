/**
 * Which of a session's group streams go out first when the network has too little room: the higher priority; of equals the
 * older subscription; within a subscription the newer group. A group's number decides within its own subscription alone, so
 * it makes no difference how a track counts.
 *
 * The transport takes one positive number of 31 bits: 8 of priority, 10 of subscription, 13 of the group's turn. Turns and
 * places are given out one after another, and anew before they run out.
 *
 * @module
 */
const TURN_BITS = 13;
const PLACE_BITS = 10;
/** The highest turn, and the last place. Above the first place stand control streams. */
export const MAX_TURN = 2 ** TURN_BITS - 1;
export const LAST_PLACE = 2 ** PLACE_BITS - 2;

/** One of a session's subscriptions, as the others rank it. */
export interface Ranked {
  /** 0 goes first. Called when the place has changed. */
  placed(place: number): void;
}

/** The subscriptions of one session, the oldest first. */
export class Places {
  readonly #ranked = new Set<Ranked>();
  #next = 0;

  /** Gives a new subscription the place behind all others. */
  enter(ranked: Ranked): void {
    this.#ranked.add(ranked);
    if (this.#next <= LAST_PLACE) return ranked.placed(this.#next++);
    // With more than half as many as there are places the newest share the last: it is not worth to move all each time.
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

/** The groups of one subscription, the newest going first. Nothing is allocated for a group. */
export class Turns<T extends Turned> {
  readonly #running: Iterable<T>;
  readonly #onMoved: (one: T) => void;
  #newest = -1;
  #last = 0;

  /**
   * @param running Those on their way out; one without a turn is passed over.
   * @param onMoved Called for each that has another turn than before.
   */
  constructor(running: Iterable<T>, onMoved: (one: T) => void) {
    this.#running = running;
    this.#onMoved = onMoved;
  }

  /** Gives a group its turn. */
  take(one: T): void {
    if (one.sequence < this.#newest) return void (one.turn = this.#before(one.sequence));
    if (this.#last === MAX_TURN) this.#anew();
    this.#newest = one.sequence;
    one.turn = ++this.#last;
  }

  /** With the newest of the older ones, or else before all newer ones. */
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
    for (const one of turned) {
      // Never as many as there are turns; should they be, the newest share one.
      one.turn = this.#last = Math.min(this.#last + 1, MAX_TURN - 1);
      this.#onMoved(one);
    }
  }
}

/** The number that the transport goes by; the highest goes first. */
export function sendOrder(priority: number, place: number, turn: number): number {
  return (priority << (PLACE_BITS + TURN_BITS)) + ((LAST_PLACE - place) << TURN_BITS) + turn;
}
