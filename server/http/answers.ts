/**
 * HTTP answers under the limits of sessions: an answer ends with the rights it began with, one address has a bounded number
 * at once, and each is sent no faster than a session.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { QumoError, reasonOf } from "../../base/errors.ts";
import type { LimitHits } from "../../metrics/limit_keys.ts";
import { LimitedQuota, type Quota } from "../../session/quota.ts";
import type { Admitted } from "../auth/authorizer.ts";
import { type Grant, type Refusal, refusal } from "../auth/grant.ts";
import { Holding } from "../auth/holding.ts";
import type { Revoked } from "../auth/revocations.ts";
import { Headcount } from "../limits/headcount.ts";
import type { NodeLimits } from "../limits/limits.ts";

/** The rights of an answer have ended. Its body fails, so that it does not look complete. */
export class AnswerEnded extends QumoError {
  readonly code = "QUMO_ANSWER_ENDED";
  constructor(why: string) {
    super(`Cannot go on with the answer: ${why}`);
    this.stack = `${this.name}: ${this.message}`; // the runtime prints what fails a body
  }
}

/** Largest piece of a body that is written at once. */
const PIECE_BYTES = 64 * 1024;

export interface AnswerKind {
  /** Method of the request. Default "GET". */
  readonly method?: string;
  /** Whether the body is followed to its end. Default: false, the answer is over once it is made. */
  readonly long?: boolean;
}

export interface HttpAnswersOptions {
  readonly limits: Readonly<NodeLimits>;
  readonly hits: LimitHits;
  readonly clock: Clock;
  readonly isRevoked: (grant: Grant) => boolean;
}

/** All answers of one node. */
export class HttpAnswers {
  readonly #o: HttpAnswersOptions;
  readonly #holdings = new Set<Holding>();
  readonly #underWay = new Headcount();

  constructor(options: HttpAnswersOptions) {
    this.#o = options;
  }

  /** Answers under way, of all addresses. */
  get size(): number {
    return this.#underWay.total;
  }

  /** Holds rights until {@link HttpAnswers.drop}. `onLost` is called at most once, if they end before. */
  hold(admitted: Admitted, onLost: (why: string) => void): Holding {
    const holding: Holding = new Holding(this.#o.clock, admitted, onLost);
    this.#holdings.add(holding);
    // The token may have been revoked since the decision.
    if (this.#o.isRevoked(admitted.grant)) queueMicrotask(() => holding.lose("token revoked"));
    return holding;
  }

  /** Lets go of rights. Idempotent. */
  drop(holding: Holding): void {
    this.#holdings.delete(holding);
    holding.end("closed");
  }

  /** Ends what is held under revoked tokens. @returns How many answers and plugin sessions ended. */
  revoke(revoked: Revoked): number {
    const hit = [...this.#holdings].filter((holding) => holding.isOf(revoked));
    for (const holding of hit) holding.lose("token revoked");
    return hit.length;
  }

  /**
   * Answers one request, until the end of the body.
   * @param remoteAddress "ip:port"; empty where it is not known: then nothing is counted.
   */
  async serve(
    remoteAddress: string,
    work: (answer: Answer) => Promise<Response>,
    how: AnswerKind = {},
  ): Promise<Response> {
    const leave = this.#enter(remoteAddress);
    if (leave === undefined) {
      const { status, message } = refusal("address_full", "too many requests of this address");
      return new Response(`${message}\n`, { status, headers: { "retry-after": "1", ...PLAIN } });
    }
    const { clock, hits, limits } = this.#o;
    const answer = new Answer(this, leave, () => new LimitedQuota(limits, hits, clock));
    return await answer.from(work, how);
  }

  /** @returns Call it when the answer is over; `undefined` when the address has too many. */
  #enter(remoteAddress: string): (() => void) | undefined {
    if (remoteAddress === "") return () => {};
    const { limits: { maxAnswersPerAddress: most }, hits } = this.#o;
    if (most === 0 || this.#underWay.of(remoteAddress) < most) {
      return this.#underWay.enter(remoteAddress);
    }
    hits.answers++;
    return undefined;
  }
}

/** Headers of a plain text. */
export const TEXT = { "content-type": "text/plain; charset=utf-8" };
const PLAIN = { ...TEXT, "cache-control": "no-store" };

/** One answer under way. */
export class Answer {
  readonly #desk: HttpAnswers;
  readonly #leave: () => void;
  readonly #quota: () => Quota;
  readonly #holdings: Holding[] = [];
  readonly #lost = new AbortController();
  #refused: Refusal | undefined;
  #over = false;

  constructor(desk: HttpAnswers, leave: () => void, quota: () => Quota) {
    this.#desk = desk;
    this.#leave = leave;
    this.#quota = quota;
  }

  /** Aborts with an {@link AnswerEnded} if the rights end before the answer. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Holds these rights until the end of the answer. */
  hold(admitted: Admitted): void {
    const lost = (why: string) => this.#lost.abort(new AnswerEnded(why));
    const holding = this.#desk.hold(admitted, lost);
    if (this.#over) this.#desk.drop(holding);
    else this.#holdings.push(holding);
  }

  /** Keeps why a request was refused: a plugin answers 401 or 403 without knowing the reason. */
  refused(refusal: Refusal): void {
    this.#refused = refusal;
  }

  /** Waits for the response and follows its body. */
  async from(work: (answer: Answer) => Promise<Response>, how: AnswerKind): Promise<Response> {
    const { signal } = this.#lost;
    const lost = Promise.withResolvers<Response>();
    const end = () => lost.resolve(denied(signal.reason));
    signal.addEventListener("abort", end, { once: true });
    const working = work(this);
    try {
      const response = await Promise.race([working, lost.promise]);
      if (signal.aborted) {
        working.then((late) => late.body?.cancel(), () => {}).catch(() => {});
        this.#end();
        return denied(signal.reason);
      }
      return this.#followed(this.#withStatus(response), how);
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  /** A plugin only knows that a request was refused. A status from 429 on replaces its 401 or 403. */
  #withStatus(response: Response): Response {
    const refused = this.#refused;
    const denied = response.status === 401 || response.status === 403;
    if (refused === undefined || !denied || refused.status < 429) return response;
    void response.body?.cancel();
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries({ ...PLAIN, "retry-after": "1" })) {
      headers.set(name, value);
    }
    headers.delete("content-length");
    headers.delete("www-authenticate");
    return new Response(`${refused.message}\n`, { status: refused.status, headers });
  }

  #followed(response: Response, { method = "GET", long = false }: AnswerKind): Response {
    if (!long || response.body === null) {
      this.#end();
      return response;
    }
    if (method === "HEAD") {
      void response.body.cancel().catch(() => {});
      this.#end();
      return new Response(null, response);
    }
    return new Response(this.#body(response.body), response);
  }

  #body(from: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = from.getReader();
    const quota = this.#quota();
    const { signal } = this.#lost;
    let left: Uint8Array = new Uint8Array(0);
    const over = () => {
      signal.removeEventListener("abort", cut);
      quota.close();
      this.#end();
    };
    let controller: ReadableStreamDefaultController<Uint8Array>;
    const cut = () => {
      controller.error(signal.reason);
      reader.cancel(signal.reason).catch(() => {});
      over();
    };
    return new ReadableStream({
      start(its) {
        controller = its;
        if (signal.aborted) cut();
        else signal.addEventListener("abort", cut, { once: true });
      },
      pull: async () => {
        try {
          while (left.length === 0) {
            const { value, done } = await reader.read();
            if (this.#over) return;
            if (done) {
              over();
              return controller.close();
            }
            left = value;
          }
          while (!quota.maySend) await new Promise<void>((resume) => quota.wait({ resume }));
          if (this.#over) return;
          const piece = left.subarray(0, PIECE_BYTES);
          left = left.subarray(piece.length);
          quota.sent(piece.length);
          controller.enqueue(piece);
        } catch (error) {
          if (this.#over) return;
          over();
          controller.error(error);
        }
      },
      cancel: async (reason) => {
        over();
        await reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#leave();
    for (const holding of this.#holdings) this.#desk.drop(holding);
  }
}

/** The answer when the rights end before the body has begun. */
function denied(reason: unknown): Response {
  const headers = { ...PLAIN, "www-authenticate": "Bearer" };
  return new Response(`${reasonOf(reason)}\n`, { status: 401, headers });
}
