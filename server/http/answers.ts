/**
 * Answers of HTTP held to what holds for sessions: they end with the rights they were begun under, one address has so many at
 * once, and each is sent no faster than a session would be.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { QumoError, reasonOf } from "../../base/errors.ts";
import type { LimitHits } from "../../session/limits.ts";
import { Quota } from "../../session/quota.ts";
import type { Admitted } from "../auth/authorizer.ts";
import { type Grant, type Refusal, refusal } from "../auth/grant.ts";
import { Holding } from "../auth/holding.ts";
import type { Revoked } from "../auth/revocations.ts";
import { addressKey } from "../limits/address_key.ts";
import type { NodeLimits } from "../limits/limits.ts";

/** The rights of an answer have ended: its body fails, so that nobody takes it for whole. */
export class AnswerEnded extends QumoError {
  readonly code = "QUMO_ANSWER_ENDED";
  constructor(why: string) {
    super(`Cannot go on with the answer: ${why}`);
    this.stack = `${this.name}: ${this.message}`; // the runtime prints what fails a body
  }
}

/** Largest piece of a body that is sent at once. */
const PIECE_BYTES = 64 * 1024;

export interface AnswerKind {
  /** Of the request. Default "GET". */
  readonly method?: string;
  /** Its body may take its time: it is followed to its end. Default: it is small, and over once it is made. */
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
  readonly #counts = new Map<string, number>();

  constructor(options: HttpAnswersOptions) {
    this.#o = options;
  }

  /** Answers that are counted now, of all addresses. */
  get size(): number {
    return this.#counts.values().reduce((sum, count) => sum + count, 0);
  }

  /** Takes rights into use until the holding is ended; `onLost` is called at most once, when they go before that. */
  hold(admitted: Admitted, onLost: (why: string) => void): Holding {
    const holding: Holding = new Holding(this.#o.clock, admitted, onLost);
    this.#holdings.add(holding);
    // It may have been taken back since it was decided on.
    if (this.#o.isRevoked(admitted.grant)) queueMicrotask(() => holding.lose("token revoked"));
    return holding;
  }

  /** The holding is needed no more. Idempotent. */
  drop(holding: Holding): void {
    this.#holdings.delete(holding);
    holding.end("closed");
  }

  /** Ends what is held under tokens that were taken back. @returns How many answers and sessions of plugins that were. */
  revoke(revoked: Revoked): number {
    const hit = [...this.#holdings].filter((holding) => holding.isOf(revoked));
    for (const holding of hit) holding.lose("token revoked");
    return hit.length;
  }

  /**
   * Answers one request, from now to the end of the body.
   * @param remoteAddress "ip:port"; empty where nobody knows it, and nothing is counted.
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
    const answer = new Answer(this, leave, () => new Quota(limits, hits, clock));
    return await answer.from(work, how);
  }

  /** @returns Called when the answer is over; `undefined` when the address has too many. */
  #enter(remoteAddress: string): (() => void) | undefined {
    if (remoteAddress === "") return () => {};
    const { limits: { maxAnswersPerAddress: most }, hits } = this.#o;
    const key = addressKey(remoteAddress);
    const here = this.#counts.get(key) ?? 0;
    if (most > 0 && here >= most) {
      hits.answers++;
      return undefined;
    }
    this.#counts.set(key, here + 1);
    return () => {
      const left = this.#counts.get(key)! - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    };
  }
}

const PLAIN = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };

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

  /** Aborts with an {@link AnswerEnded} when the rights end before the answer does. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** The answer needs these rights until its end. */
  hold(admitted: Admitted): void {
    const lost = (why: string) => this.#lost.abort(new AnswerEnded(why));
    const holding = this.#desk.hold(admitted, lost);
    if (this.#over) this.#desk.drop(holding);
    else this.#holdings.push(holding);
  }

  /** Who asked was turned away: the status is told where the answer itself only says that it was. */
  refused(refusal: Refusal): void {
    this.#refused = refusal;
  }

  /** Waits for the response, and follows its body. */
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

  /** A plugin knows only that somebody may not: that we could not ask, or not now, is another status. */
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

/** What is answered when the rights end before the answer has begun. */
function denied(reason: unknown): Response {
  const headers = { ...PLAIN, "www-authenticate": "Bearer" };
  return new Response(`${reasonOf(reason)}\n`, { status: 401, headers });
}
