/**
 * Asks the operator's auth server about each session: one POST at the start, one whenever the server wants to be asked
 * again, one at the end. The JSON is that of moq's auth servers.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { masked } from "../../base/masking.ts";
import { type Answer, answerOf, covers } from "./auth_answer.ts";
import { callAt } from "./deadline.ts";
import { type Grant, type Refusal, refusal } from "./grant.ts";
import type { AuthRequest } from "./request.ts";

export interface AuthServerOptions {
  readonly url: string;
  /** The name of this relay in the requests. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fetch?: typeof fetch;
}

const TIMEOUT_MS = 10_000;
/** First and longest pause before the server is asked again that did not answer a revalidation. */
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 60_000;
/** How long an admitted session may take to open. */
const ORPHAN_MS = 60_000;
/** Longest time of a timer. */
const LONGEST_MS = 2 ** 31 - 1;

/** A session that the auth server has admitted. */
export interface Lease {
  /** Calls back once when its time is up or the server revokes its rights, with the reason. */
  onRevoked(callback: (reason: string) => void): void;
  /** Tells the server that the session is over. Idempotent. */
  end(reason: string): void;
}

export class AuthServer {
  readonly #options: AuthServerOptions;

  constructor(options: AuthServerOptions) {
    this.#options = options;
  }

  async connect(
    request: AuthRequest,
  ): Promise<{ readonly grant: Grant; readonly lease: Lease } | Refusal> {
    const { node, clock } = this.#options;
    const facts = factsOf(request, node);
    const answer = await this.#ask({ ...facts, event: "connect" }, request.path);
    if ("reason" in answer) return answer;
    return { grant: answer.grant, lease: this.#lease(facts, request.path, answer, clock) };
  }

  #lease(facts: Facts, path: string, first: Answer, clock: Clock): Lease {
    const startedMs = clock.now();
    let cancelCheck = () => {};
    let cancelExpiry = () => {};
    let over = false;
    let pauseMs = RETRY_MIN_MS;
    let told: ((reason: string) => void) | undefined;
    let early: string | undefined;
    const revoke = (reason: string) => {
      if (over) return;
      if (told === undefined) early ??= reason;
      else told(reason);
    };
    const again = (afterMs: number) => {
      cancelCheck = clock.after(Math.min(afterMs, LONGEST_MS), () => void check());
    };
    const follow = ({ grant, revalidateMs }: Answer) => {
      cancelExpiry();
      const { expiresAtMs } = grant;
      if (expiresAtMs !== undefined) {
        cancelExpiry = callAt(clock, expiresAtMs, () => revoke("expired"));
      }
      if (revalidateMs !== undefined) again(revalidateMs);
    };
    const check = async () => {
      const answer = await this.#ask({ ...facts, event: "revalidate" }, path);
      if (over) return;
      if ("reason" in answer) {
        if (answer.reason !== "unavailable") return revoke("refused");
        again(pauseMs * (0.75 + Math.random() / 2)); // its old answer holds until it expires
        pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS);
        return;
      }
      pauseMs = RETRY_MIN_MS;
      if (answer.grant.root !== first.grant.root) return revoke("root changed");
      if (answer.grant.peer !== first.grant.peer) return revoke("peer changed");
      if (!covers(answer.grant, first.grant)) return revoke("grant narrowed");
      follow(answer);
    };
    const end = (reason: string) => {
      if (over) return;
      over = true;
      for (const cancel of [cancelCheck, cancelExpiry, cancelOrphan]) cancel();
      const duration = (clock.now() - startedMs) / 1000;
      // Deno does not count the bytes of a connection.
      const bytes = { sent: 0, received: 0 };
      void this.#post({ ...facts, event: "end", reason, duration, bytes }).catch((error) => {
        this.#options.log.debug("the auth server did not hear of an end", {
          reason: masked(reasonOf(error)),
        });
      });
    };
    follow(first);
    // An admitted session that never opens has no end of its own.
    const cancelOrphan = clock.after(ORPHAN_MS, () => told === undefined && end("dropped"));
    return {
      onRevoked(callback) {
        told = callback;
        if (early !== undefined) callback(early);
      },
      end,
    };
  }

  async #ask(body: Facts & { readonly event: string }, path: string): Promise<Answer | Refusal> {
    const { log } = this.#options;
    try {
      const answer = await this.#post(body);
      if (answer.status === 401 || answer.status === 403) {
        return refusal("server_refused", "the auth server refuses it", answer.status);
      }
      if (!answer.ok) throw new Error(`the answer is ${answer.status}`);
      const grant = answerOf(answer.text, path);
      if (grant !== undefined) return grant;
      return refusal("server_refused", "the auth server grants nothing here");
    } catch (error) {
      log.warn("the auth server gives no answer", { reason: masked(reasonOf(error)) });
      return refusal("unavailable", "the auth server gives no answer");
    }
  }

  async #post(body: object): Promise<{ status: number; ok: boolean; text: string }> {
    const { url } = this.#options;
    const answer = await (this.#options.fetch ?? fetch)(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: answer.status, ok: answer.ok, text: await answer.text() };
  }
}

type Facts = Readonly<Record<string, unknown>>;

/** The fields that are the same in all events of a session. */
function factsOf({ path, query, remote, transport, role, bearer }: AuthRequest, node: string) {
  // The server finds the token in one place: the query.
  const shown = bearer === undefined || bearer === ""
    ? query
    : `${query}${query === "" ? "" : "&"}jwt=${encodeURIComponent(bearer)}`;
  return {
    id: crypto.getRandomValues(new Uint8Array(16)).toHex(),
    node,
    transport: transport === "webtransport" ? "quic" : transport,
    ...(/:\d+$/.test(remote) ? { remote } : {}),
    path,
    ...(shown === "" ? {} : { query: shown }),
    ...(role === undefined ? {} : { role }),
  };
}
