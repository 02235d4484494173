/**
 * The link to another relay: dialed for as long as this one runs, announcements flowing both ways.
 *
 * @module
 */
import { reasonOf } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Connection } from "../transport/connection.ts";
import type { Relay, RelaySession } from "./relay.ts";

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
}

/** How the link stands. */
export type UpstreamState = "connecting" | "connected" | "waiting" | "stopped";

/** A link that held this long starts its back-off anew. */
const STABLE_MS = 10_000;

export class Upstream {
  /** Without a token that its query may hold. */
  readonly url: string;
  state: UpstreamState = "connecting";
  /** Attempts and links, since the start. */
  attempts = 0;
  connected = 0;
  lastError: string | undefined;
  readonly #options: UpstreamOptions;
  readonly #stop = new AbortController();
  #current: RelaySession | undefined;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.url = withoutSecrets(options.url);
  }

  /** The session that holds now. */
  get session(): RelaySession | undefined {
    return this.#current;
  }

  /** Dials until {@link stop}. Never rejects. */
  async run(): Promise<void> {
    const { backoffMinMs, backoffMaxMs, log } = this.#options;
    const random = this.#options.random ?? Math.random;
    const { signal } = this.#stop;
    let backoffMs = backoffMinMs;
    let url = this.#options.url;
    while (!signal.aborted) {
      const startedMs = performance.now();
      const next = await this.#once(url);
      if (signal.aborted) break;
      url = next ?? this.#options.url;
      if (performance.now() - startedMs > STABLE_MS) backoffMs = backoffMinMs;
      if (next !== undefined) continue; // told to go elsewhere: at once
      this.state = "waiting";
      const waitMs = backoffMs * (0.5 + random() / 2);
      log.debug("dialing upstream again soon", { upstream: this.url, waitMs: Math.round(waitMs) });
      await sleep(waitMs, signal);
      backoffMs = Math.min(backoffMs * 2, backoffMaxMs);
    }
    this.state = "stopped";
  }

  /** Closes the link and dials no more. */
  stop(): void {
    this.#stop.abort();
    this.#current?.session.close(0, "shutting down");
  }

  /** One link, from the dial to its end. @returns Where to go next when the peer has said so. */
  async #once(url: string): Promise<string | undefined> {
    const { relay, dial, log } = this.#options;
    this.state = "connecting";
    this.attempts++;
    let next: string | undefined;
    try {
      const connection = await dial(url, this.#stop.signal);
      const { pathname, search } = new URL(url);
      const raw = connection.kind === "quic";
      this.#current = await relay.join(connection, {
        ...(raw ? { path: pathname + search } : {}),
        onGoaway: (uri) => {
          next = sameOrigin(uri, url) ? uri : url;
          this.#current?.session.close(0, "going away as asked");
        },
      });
      this.state = "connected";
      this.connected++;
      this.lastError = undefined;
      const { dialect, closed } = this.#current.session;
      log.info("upstream connected", { upstream: this.url, version: dialect.name });
      const info = await closed;
      log.warn("upstream lost", { upstream: this.url, code: info.code, reason: info.reason });
    } catch (error) {
      this.lastError = withoutSecrets(reasonOf(error));
      if (!this.#stop.signal.aborted) {
        log.warn("upstream not reached", { upstream: this.url, reason: this.lastError });
      }
    } finally {
      this.#current = undefined;
    }
    return next;
  }
}

/** A redirect is followed to the same host only: a peer must not send us, with our token, anywhere. */
function sameOrigin(uri: string, url: string): boolean {
  try {
    const [to, from] = [new URL(uri), new URL(url)];
    return to.protocol === from.protocol && to.hostname === from.hostname;
  } catch {
    return false;
  }
}

function withoutSecrets(text: string): string {
  return text.replace(/([?&](?:jwt|token)=)[^&\s]+/g, "$1***");
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
