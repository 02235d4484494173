/**
 * One hook: its queue, and the attempts to send the events in it.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { QumoError, reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { Backoff } from "../../base/backoff.ts";
import { sleep } from "../../base/sleep.ts";
import type { HookConfig } from "../../config/hook_list.ts";
import type { HookStats } from "../../metrics/snapshot.ts";
import { matcherOf } from "../../wire/path_pattern.ts";
import type { HookEvent } from "./event.ts";
import { Waiting } from "./waiting.ts";

/** An event could not be sent. */
export class HookFailed extends QumoError {
  readonly code = "QUMO_HOOK_FAILED";
  /** @param again Whether another attempt may succeed. */
  constructor(message: string, readonly again: boolean, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Sends one event. @throws {HookFailed} */
export type Deliver = (event: HookEvent, signal: AbortSignal) => Promise<void>;

export interface HookPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly deliver: Deliver;
  /** For the jitter, between 0 and 1. Default: random. */
  readonly random?: () => number;
}

/** Its owner closes it. */
export class Hook {
  readonly config: HookConfig;
  readonly stats: HookStats = { sent: 0, failed: 0, dropped: 0, coalesced: 0, retries: 0 };
  /** Why the last event could not be sent. `undefined` after a success. */
  lastFailure: string | undefined;
  readonly #ports: HookPorts;
  /** Whether it wants events of a broadcast. */
  readonly #concerns: (broadcast: string) => boolean;
  readonly #waiting: Waiting;
  readonly #over = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #tokens: number;
  #tokensAtMs: number;
  #cancelTimer: (() => void) | undefined;
  #fullToldMs = -Infinity;

  constructor(config: HookConfig, ports: HookPorts) {
    this.config = config;
    this.#ports = ports;
    this.#concerns = matcherOf(config.broadcasts);
    this.#waiting = new Waiting(config.maxWaiting);
    this.#tokens = config.maxRate;
    this.#tokensAtMs = ports.clock.now();
  }

  /** Events that wait. Those under way do not count. */
  get waiting(): number {
    return this.#waiting.size;
  }

  get underWay(): number {
    return this.#running.size;
  }

  /** Whether it wants an event. */
  wants({ event, broadcast }: Pick<HookEvent, "event" | "broadcast">): boolean {
    return this.config.events.includes(event) && this.#concerns(broadcast);
  }

  /** Queues an event that it wants. Returns at once. */
  tell(event: HookEvent): void {
    if (this.#over.signal.aborted) return;
    const accepted = this.#waiting.add(event);
    if (accepted === "coalesced") this.stats.coalesced++;
    if (accepted === "full") this.#full();
    this.#pump();
  }

  /**
   * Sends what waits, then gives up what is still under way. Never rejects.
   * @param graceMs How long sending may take.
   */
  async close(graceMs: number): Promise<void> {
    const { clock } = this.#ports;
    this.#waiting.hurry();
    this.#tokens = Infinity;
    let late = graceMs <= 0;
    // The clock's own timers do not keep the program alive, and this is its end.
    const alive = setInterval(() => {}, 1000);
    const timer = Promise.withResolvers<void>();
    const cancel = clock.after(graceMs, () => {
      late = true;
      timer.resolve();
    });
    this.#pump();
    while (!late && (this.#running.size > 0 || this.#waiting.size > 0)) {
      this.#waiting.hurry();
      this.#pump();
      await Promise.race([timer.promise, ...this.#running]);
    }
    cancel();
    this.#over.abort();
    this.#cancelTimer?.();
    const left = this.#waiting.clear();
    this.stats.dropped += left;
    if (left > 0) this.#ports.log.warn("a hook was not told of all events", { dropped: left });
    await Promise.all(this.#running);
    clearInterval(alive);
  }

  #full(): void {
    this.stats.dropped++;
    const { clock, log } = this.#ports;
    if (clock.now() - this.#fullToldMs < 60_000) return;
    this.#fullToldMs = clock.now();
    log.warn("a hook's queue is full: events are dropped", { waiting: this.waiting });
  }

  #pump(): void {
    const { clock } = this.#ports;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    while (this.#running.size < this.config.concurrency && !this.#over.signal.aborted) {
      const now = clock.now();
      this.#refill(now);
      if (this.#tokens < 1) {
        if (this.#waiting.size > 0) this.#pumpIn(1000 / this.config.maxRate);
        return;
      }
      const event = this.#waiting.next(now);
      if (event === undefined) {
        const dueMs = this.#waiting.nextMs();
        if (dueMs !== undefined) this.#pumpIn(dueMs - now);
        return;
      }
      this.#tokens--;
      const running = this.#run(event).then(() => {
        this.#running.delete(running);
        this.#waiting.done(event.broadcast, clock.now());
        this.#pump();
      });
      this.#running.add(running);
    }
  }

  #refill(now: number): void {
    const { maxRate } = this.config;
    const more = (now - this.#tokensAtMs) / 1000 * maxRate;
    this.#tokensAtMs = now;
    if (this.#tokens < maxRate) this.#tokens = Math.min(maxRate, this.#tokens + more);
  }

  #pumpIn(ms: number): void {
    this.#cancelTimer = this.#ports.clock.after(Math.max(1, ms), () => this.#pump());
  }

  /** Never rejects. */
  async #run(event: HookEvent): Promise<void> {
    const { clock, log, deliver, random } = this.#ports;
    const { retries, backoffMinMs: minMs, backoffMaxMs: maxMs } = this.config;
    const backoff = new Backoff({ minMs, maxMs, random });
    const fields = { event: event.event, broadcast: event.broadcast, id: event.id };
    for (let attempt = 0;; attempt++) {
      try {
        await deliver(event, this.#over.signal);
        this.stats.sent++;
        this.lastFailure = undefined;
        log.debug("a hook was told of an event", fields);
        return;
      } catch (error) {
        const reason = reasonOf(error);
        this.lastFailure = reason;
        const again = error instanceof HookFailed && error.again && attempt < retries;
        if (!again || this.#over.signal.aborted) {
          this.stats.failed++;
          log.warn("a hook could not be told of an event", {
            ...fields,
            reason,
            attempts: attempt + 1,
          });
          return;
        }
        const waitMs = backoff.next();
        log.debug("a hook is told again after a pause", { ...fields, reason, waitMs });
        await sleep(waitMs, this.#over.signal, clock);
        if (!this.#over.signal.aborted) this.stats.retries++;
      }
    }
  }
}
