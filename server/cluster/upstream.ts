/**
 * The link to the upstream relay. It is dialed as long as this relay runs. Announcements go both ways.
 *
 * @module
 */
import { Backoff } from "../../base/backoff.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { sameHost } from "../../base/same_host.ts";
import { masked } from "../../base/masking.ts";
import { sleep } from "../../base/sleep.ts";
import type { Connection } from "../../transport/connection.ts";
import type { Relay, RelaySession } from "../relay.ts";

export interface UpstreamOptions {
  readonly url: string;
  readonly relay: Relay;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly log: Logger;
  /** Dials one URL. */
  readonly dial: (url: string, signal: AbortSignal) => Promise<Connection>;
  /** Between 0 and 1, for the jitter. Default: random. */
  readonly random?: () => number;
  readonly clock?: Clock;
}

/** How the link stands. */
export type UpstreamState = "connecting" | "connected" | "waiting" | "stopped";

/** How long an old link stays open beside the new one after a GOAWAY. */
const HANDOVER_MS = 10_000;

export class Upstream {
  /** The URL without tokens. */
  readonly url: string;
  state: UpstreamState = "connecting";
  /** Attempts and successful links since the start. */
  attempts = 0;
  connected = 0;
  lastError: string | undefined;
  readonly #options: UpstreamOptions;
  readonly #stop = new AbortController();
  readonly #clock: Clock;
  #current: RelaySession | undefined;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.url = masked(options.url);
  }

  /** The open session. */
  get session(): RelaySession | undefined {
    return this.#current;
  }

  /** Dials until {@link stop}. Never rejects. */
  async run(): Promise<void> {
    const { backoffMinMs: minMs, backoffMaxMs: maxMs, random, log } = this.#options;
    const { signal } = this.#stop;
    const backoff = new Backoff({ minMs, maxMs, random });
    let url = this.#options.url;
    while (!signal.aborted) {
      const startedMs = this.#clock.now();
      const next = await this.#once(url);
      if (signal.aborted) break;
      url = next ?? this.#options.url;
      const held = backoff.ended(this.#clock.now() - startedMs);
      if (held && next !== undefined) continue; // after a GOAWAY at once
      this.#stands("waiting");
      const waitMs = backoff.next();
      log.debug("dialing upstream again soon", { upstream: this.url, waitMs });
      await sleep(waitMs, signal, this.#clock);
    }
    this.state = "stopped";
  }

  /** Closes the link and dials no more. */
  stop(): void {
    this.#stop.abort();
  }

  /**
   * Runs one link, until it ends or the peer sends GOAWAY. After a GOAWAY the link serves its subscriptions until the next
   * link is open.
   * @returns The next URL, after a GOAWAY.
   */
  async #once(url: string): Promise<string | undefined> {
    const { relay, dial, log } = this.#options;
    const { signal } = this.#stop;
    this.#stands("connecting");
    this.attempts++;
    const asked = Promise.withResolvers<string>();
    try {
      const connection = await dial(url, signal);
      const close = () => connection.close(0, "shutting down");
      signal.addEventListener("abort", close);
      connection.closed.then(() => signal.removeEventListener("abort", close));
      if (signal.aborted) close();
      const { host, pathname, search } = new URL(url);
      const raw = connection.kind === "quic";
      const link = await relay.join(connection, {
        ...(raw ? { path: pathname + search, authority: host } : {}),
        onGoaway: (uri) => asked.resolve(sameHost(uri, url) ? uri : url),
      });
      const { version, closed } = link.session;
      const old = this.#current;
      this.#current = link;
      const ended = closed.then((info) => {
        if (this.#current === link) {
          this.#current = undefined;
          this.#stands("waiting");
        }
        log.warn("upstream lost", { upstream: this.url, code: info.code, reason: info.reason });
        return undefined;
      });
      if (old !== undefined) this.#leave(old);
      this.state = "connected";
      this.connected++;
      this.lastError = undefined;
      log.info("upstream connected", { upstream: this.url, version });
      return await Promise.race([ended, asked.promise]);
    } catch (error) {
      this.lastError = masked(reasonOf(error));
      if (!signal.aborted) {
        log.warn("upstream not reached", { upstream: this.url, reason: this.lastError });
      }
      return undefined;
    }
  }

  /** While a link is open, the state stays "connected". */
  #stands(state: UpstreamState): void {
    this.state = this.#current === undefined ? state : "connected";
  }

  /** Closes the old link later: its subscriptions get some time to move to the new one. */
  #leave(old: RelaySession): void {
    const cancel = this.#clock.after(
      HANDOVER_MS,
      () => old.session.close(0, "going away as asked"),
    );
    old.session.closed.then(cancel);
  }
}
