/**
 * Tokens that were revoked before they expired.
 *
 * @module
 */
import type { Grant } from "./grant.ts";

/** Which tokens: the one with an id (`jti`), or all tokens of a subject (`sub`) that were signed so far. One of the two. */
export interface Revoked {
  readonly jti?: string;
  readonly sub?: string;
}

/** Revoked tokens, since when and until when, in milliseconds since 1970. */
export interface Revocation extends Revoked {
  readonly atMs: number;
  /** Absent where it is not known when the last of these tokens expires. */
  readonly untilMs?: number;
}

/** Until when a revocation is kept, and for tokens signed until when. In milliseconds since 1970. */
interface Held {
  readonly atMs: number;
  readonly untilMs: number;
}

export class Revocations {
  readonly #names = new Map<string, Held>();
  readonly #holders = new Map<string, Held>();

  /** @param untilMs When the last of these tokens expires. Absent: not known, and it is kept for good. */
  add({ jti, sub }: Revoked, nowMs: number, untilMs = Infinity): void {
    this.#forget(nowMs);
    if (jti !== undefined) this.#names.set(jti, { atMs: nowMs, untilMs });
    if (sub !== undefined) this.#holders.set(sub, { atMs: nowMs, untilMs });
  }

  /** Revocations that are kept, the oldest first. */
  list(nowMs: number): Revocation[] {
    this.#forget(nowMs);
    const all = (held: ReadonlyMap<string, Held>, key: "jti" | "sub") =>
      [...held].map(([name, { atMs, untilMs }]): Revocation => ({
        ...(key === "jti" ? { jti: name } : { sub: name }),
        atMs,
        ...(Number.isFinite(untilMs) ? { untilMs } : {}),
      }));
    const list = [...all(this.#names, "jti"), ...all(this.#holders, "sub")];
    return list.sort((a, b) => a.atMs - b.atMs);
  }

  /** Whether the token of a grant is revoked. A token without the time of its signature counts as older. */
  covers({ jti, sub, issuedAtMs = -Infinity }: Grant, nowMs: number): boolean {
    const name = jti === undefined ? undefined : this.#names.get(jti);
    const holder = sub === undefined ? undefined : this.#holders.get(sub);
    return (name !== undefined && nowMs < name.untilMs) ||
      (holder !== undefined && nowMs < holder.untilMs && issuedAtMs <= holder.atMs);
  }

  #forget(nowMs: number): void {
    for (const held of [this.#names, this.#holders]) {
      for (const [key, { untilMs }] of held) if (untilMs <= nowMs) held.delete(key);
    }
  }
}
