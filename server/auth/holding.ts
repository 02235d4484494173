/**
 * Rights in use by a session or an HTTP answer. They end when they expire, when the auth server revokes them, or when their
 * token is revoked. The user of the rights is told once.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Admitted } from "./authorizer.ts";
import { callAt } from "./deadline.ts";
import type { Grant } from "./grant.ts";
import type { Revoked } from "./revocations.ts";

/** Its owner ends it. */
export class Holding {
  readonly grant: Grant;
  readonly #lease: Admitted["lease"];
  readonly #onLost: (why: string) => void;
  readonly #cancel: () => void;
  #why: string | undefined;
  #over = false;

  /** @param onLost Called at most once, and never before this returns. */
  constructor(clock: Clock, { grant, lease }: Admitted, onLost: (why: string) => void) {
    this.grant = grant;
    this.#lease = lease;
    this.#onLost = onLost;
    const { expiresAtMs } = grant;
    // The auth server decides on the end itself and may change it.
    this.#cancel = lease === undefined && expiresAtMs !== undefined
      ? callAt(clock, expiresAtMs, () => this.lose("expired"))
      : () => {};
    lease?.onRevoked((why) => queueMicrotask(() => this.lose(why)));
  }

  /** Whether these are the rights of a revoked token. */
  isOf({ jti, sub }: Revoked): boolean {
    return (jti !== undefined && this.grant.jti === jti) ||
      (sub !== undefined && this.grant.sub === sub);
  }

  /** Ends the rights and tells their user. Idempotent. */
  lose(why: string): void {
    if (this.#over || this.#why !== undefined) return;
    this.#why = why;
    this.#onLost(why === "expired" ? "token expired" : why);
  }

  /** Lets go of the rights. Idempotent. @param reason For the auth server, unless the rights were lost. */
  end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancel();
    this.#lease?.end(this.#why ?? reason);
  }
}
