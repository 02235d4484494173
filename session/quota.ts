/**
 * Holds one session to its limits. Control messages wait and media falls behind. Per frame this costs one comparison of two
 * numbers.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { sleep } from "../base/sleep.ts";
import { NO_LIMITS, type SessionHits, type SessionLimits } from "./limits.ts";

/** How many seconds' worth of control messages may come at once. */
const MESSAGE_BURST_S = 10;
/** How many seconds' worth of media may go out at once: the start of a group, or the groups kept for a late joiner. */
const MEDIA_BURST_S = 2;
/** How often a session that waits with media is looked at. */
const RESUME_MS = 50;

/** Waits until its session may send more. */
export interface Paced {
  resume(): void;
}

/** The limits of one session. */
export type Quota = Pick<LimitedQuota, keyof LimitedQuota>;

export class LimitedQuota {
  readonly hits: SessionHits;
  #limits: Readonly<SessionLimits>;
  readonly #clock: Clock;
  /** Control messages and media bytes that are left, and when that was computed. */
  #messages = Infinity;
  #messagesAtMs = 0;
  #sendable = Infinity;
  #sendableAtMs = 0;
  /** Media bytes that have come since the last sweep, and how many bytes are above the rate. */
  #received = 0;
  #excess = 0;
  #lookedAtMs: number;
  readonly #paced = new Set<Paced>();
  #cancel: (() => void) | undefined;

  constructor(limits: Readonly<SessionLimits>, hits: SessionHits, clock: Clock) {
    this.#limits = limits;
    this.hits = hits;
    this.#clock = clock;
    this.#lookedAtMs = clock.now();
  }

  /** Ends all limits: the peer is one that has none. */
  lift(): void {
    this.#limits = NO_LIMITS;
  }

  /** Whether a session that announces `count` broadcasts may announce one more. */
  mayAnnounce(count: number): boolean {
    const { maxAnnouncements } = this.#limits;
    if (maxAnnouncements === 0 || count < maxAnnouncements) return true;
    this.hits.announcements++;
    return false;
  }

  /** Whether a session that has `count` subscriptions may open one more. */
  maySubscribe(count: number): boolean {
    const { maxSubscriptions } = this.#limits;
    if (maxSubscriptions === 0 || count < maxSubscriptions) return true;
    this.hits.subscriptions++;
    return false;
  }

  /** A control message has come. @returns What to wait for before the next one is read; nothing within the rate. */
  message(): Promise<void> | undefined {
    this.#spend(1);
    return this.settled();
  }

  /**
   * Announcements have been sent at once. They count as messages, but for no more than half of a burst: otherwise nobody
   * could join a server with many broadcasts.
   */
  told(count: number): void {
    this.#spend(Math.min(count, this.#limits.maxMessageRate * MESSAGE_BURST_S / 2));
  }

  /** What to wait for until the session is within its message rate; nothing when it is. */
  settled(): Promise<void> | undefined {
    const rate = this.#limits.maxMessageRate;
    if (rate === 0) return undefined;
    this.#spend(0);
    if (this.#messages >= 0) return undefined;
    this.hits.messageRate++;
    const waitMs = Math.ceil(-this.#messages * 1000 / rate);
    return sleep(waitMs, undefined, this.#clock);
  }

  #spend(messages: number): void {
    const rate = this.#limits.maxMessageRate;
    if (rate === 0) return;
    const now = this.#clock.now();
    const earned = (now - this.#messagesAtMs) * rate / 1000;
    this.#messages = Math.min(this.#messages + earned, rate * MESSAGE_BURST_S) - messages;
    this.#messagesAtMs = now;
  }

  /** Whether media may go out now. */
  get maySend(): boolean {
    const rate = this.#limits.maxSendRate;
    if (rate === 0 || this.#sendable > 0) return true;
    this.#earn(rate);
    return this.#sendable > 0;
  }

  /** Media has gone out. */
  sent(bytes: number): void {
    const rate = this.#limits.maxSendRate;
    if (rate === 0) return;
    if (this.#sendable === Infinity) this.#earn(rate);
    this.#sendable -= bytes;
  }

  /** Resumes `paced` when media may go out again. The last to wait goes first, since it has the newest group. */
  wait(paced: Paced): void {
    if (this.#paced.has(paced)) return;
    this.hits.sendRate++;
    this.#paced.add(paced);
    this.#cancel ??= this.#clock.after(RESUME_MS, this.#resume);
  }

  /** `paced` has nothing to send any more. Harmless when it does not wait. */
  leave(paced: Paced): void {
    this.#paced.delete(paced);
  }

  /** Media has come in. */
  received(bytes: number): void {
    this.#received += bytes;
  }

  /** Call it about once a second. @returns Whether more has come in than the rate and a burst allow. */
  sweep(now: number): boolean {
    const rate = this.#limits.maxReceiveRate;
    const allowed = (now - this.#lookedAtMs) * rate / 1000;
    this.#excess = rate === 0 ? 0 : Math.max(0, this.#excess + this.#received - allowed);
    this.#received = 0;
    this.#lookedAtMs = now;
    return this.#excess > rate * MEDIA_BURST_S;
  }

  /** The session is over. */
  close(): void {
    this.#cancel?.();
    this.#paced.clear();
  }

  #earn(rate: number): void {
    const now = this.#clock.now();
    const earned = (now - this.#sendableAtMs) * rate / 1000;
    this.#sendable = Math.min(this.#sendable + earned, rate * MEDIA_BURST_S);
    this.#sendableAtMs = now;
  }

  readonly #resume = (): void => {
    this.#cancel = undefined;
    if (this.maySend) {
      const waiting = [...this.#paced].reverse();
      this.#paced.clear();
      for (const paced of waiting) paced.resume();
    }
    if (this.#paced.size > 0) this.#cancel ??= this.#clock.after(RESUME_MS, this.#resume);
  };
}
