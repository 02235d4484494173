/**
 * HTTP requests share sessions of the auth server. A player makes several requests a second: equal ones are one session to
 * the server, from the first until some time after the last. A refusal is remembered for a moment, and the questions of one
 * address are limited.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { parseAddress } from "../../config/address.ts";
import { addressKey } from "../limits/address_key.ts";
import type { Lease } from "./auth_server.ts";
import { type Grant, type Refusal, refusal } from "./grant.ts";
import type { AuthRequest } from "./request.ts";

/** A good answer of the auth server. */
export interface Leased {
  readonly grant: Grant;
  readonly lease: Lease;
}

export interface SharedAnswersOptions {
  readonly clock: Clock;
  /** Asks the auth server. Never rejects. */
  readonly connect: (request: AuthRequest) => Promise<Leased | Refusal>;
}

/** How long after its last request a shared session ends. */
export const KEEP_MS = 10_000;
/** How long a refusal is remembered, and how long a failure to decide. */
export const REFUSED_MS = 5_000;
export const UNAVAILABLE_MS = 1_000;
/** Most questions at once: in all, and of one address. */
export const MAX_ASKING = 64;
export const MAX_ASKING_PER_ADDRESS = 8;
/** Most questions of one address in a second, and at once after a pause. */
export const RATE = 20;
export const BURST = 100;
/** Most answers that are remembered. */
const MAX_ENTRIES = 10_000;

/** Parameters of the query that belong to the HTTP answer and not to the question. */
const OF_ANSWERS = /^(group|track|at|limit|video|audio|_HLS_.*)$/;

interface Entry {
  readonly key: string;
  readonly answer: Promise<Leased | Refusal>;
  /** HTTP answers under it. Each is told when the rights end. */
  readonly users: Set<(why: string) => void>;
  lost: string | undefined;
  refused: Refusal | undefined;
  /** Cancels its end. */
  cancel: () => void;
}

/** Questions of one address. */
interface Asker {
  asking: number;
  left: number;
  atMs: number;
}

export class SharedAnswers {
  readonly #o: SharedAnswersOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #askers = new Map<string, Asker>();
  #asking = 0;

  constructor(options: SharedAnswersOptions) {
    this.#o = options;
  }

  /** Answers that are remembered or asked for. */
  get size(): number {
    return this.#entries.size;
  }

  /** Decides on one HTTP request. Never rejects. */
  async connect(request: AuthRequest): Promise<Leased | Refusal> {
    const asked = { ...request, query: queryOf(request.query) };
    const key = JSON.stringify([asked.path, asked.query, asked.bearer, hostOf(asked.remote)]);
    const entry = this.#entries.get(key) ?? this.#ask(key, asked);
    if ("reason" in entry) return entry;
    if (entry.refused !== undefined) return entry.refused;
    // It stays while somebody waits for it.
    const waiting = () => {};
    entry.cancel();
    entry.users.add(waiting);
    const answer = await entry.answer;
    if ("reason" in answer) return answer;
    const lease = this.#share(entry, answer);
    this.#leave(entry, answer, waiting);
    return { grant: answer.grant, lease };
  }

  /** Tells the server that all sessions are over. */
  close(): void {
    for (const entry of [...this.#entries.values()]) {
      this.#forget(entry);
      void entry.answer.then((answer) => "lease" in answer && answer.lease.end("shutdown"));
    }
  }

  #ask(key: string, request: AuthRequest): Entry | Refusal {
    const asker = this.#asker(request.remote);
    if (asker.asking >= MAX_ASKING_PER_ADDRESS || asker.left < 1) {
      return refusal("address_full", "too many questions of this address");
    }
    if (this.#asking >= MAX_ASKING || this.#entries.size >= MAX_ENTRIES) {
      return refusal("unavailable", "the auth server has too many questions", 503);
    }
    asker.left--;
    asker.asking++;
    this.#asking++;
    const answer = this.#o.connect(request).finally(() => {
      asker.asking--;
      this.#asking--;
    });
    const entry: Entry = {
      key,
      answer,
      users: new Set(),
      lost: undefined,
      refused: undefined,
      cancel: () => {},
    };
    this.#entries.set(key, entry);
    void answer.then((given) => this.#answered(entry, given));
    return entry;
  }

  #answered(entry: Entry, answer: Leased | Refusal): void {
    if ("reason" in answer) {
      entry.refused = answer;
      const ms = answer.reason === "unavailable" ? UNAVAILABLE_MS : REFUSED_MS;
      entry.cancel = this.#o.clock.after(ms, () => this.#forget(entry));
      return;
    }
    answer.lease.onRevoked((why) => {
      entry.lost = why;
      this.#forget(entry);
      if (entry.users.size === 0) answer.lease.end(why);
      for (const lose of [...entry.users]) lose(why);
    });
  }

  /** The lease of one HTTP answer. */
  #share(entry: Entry, answer: Leased): Lease {
    let told: ((why: string) => void) | undefined;
    const lose = (why: string) => told?.(why);
    entry.users.add(lose);
    let over = false;
    return {
      onRevoked: (callback) => {
        told = callback;
        if (entry.lost !== undefined) callback(entry.lost);
      },
      end: () => {
        if (over) return;
        over = true;
        this.#leave(entry, answer, lose);
      },
    };
  }

  #leave(entry: Entry, { lease }: Leased, user: (why: string) => void): void {
    entry.users.delete(user);
    if (entry.users.size > 0) return;
    if (entry.lost !== undefined) return lease.end(entry.lost);
    entry.cancel();
    entry.cancel = this.#o.clock.after(KEEP_MS, () => {
      this.#forget(entry);
      lease.end("closed");
    });
  }

  #forget(entry: Entry): void {
    entry.cancel();
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
  }

  #asker(remote: string): Asker {
    const now = this.#o.clock.now();
    const key = addressKey(remote);
    const known = this.#askers.get(key);
    if (known === undefined) {
      this.#sweep(now);
      const asker = { asking: 0, left: BURST, atMs: now };
      this.#askers.set(key, asker);
      return asker;
    }
    known.left = Math.min(BURST, known.left + (now - known.atMs) * RATE / 1000);
    known.atMs = now;
    return known;
  }

  /** Forgets quiet addresses once there are many. */
  #sweep(now: number): void {
    if (this.#askers.size < MAX_ENTRIES) return;
    for (const [key, { asking, left, atMs }] of this.#askers) {
      const full = left + (now - atMs) * RATE / 1000 >= BURST;
      if (asking === 0 && full) this.#askers.delete(key);
    }
  }
}

/** The query as the auth server gets it. */
function queryOf(query: string): string {
  return query.split("&").filter((part) => !OF_ANSWERS.test(part.split("=")[0]!)).join("&");
}

function hostOf(remote: string): string {
  return parseAddress(remote)?.hostname ?? remote;
}
