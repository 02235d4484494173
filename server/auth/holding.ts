/**
 * Rights in use: by a session, or by an answer of HTTP. They end when their time is up, when the auth server takes them back,
 * or when their token is revoked; whoever uses them hears of it once.
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
    // An auth server tells of the end itself, and may move it.
    this.#cancel = lease === undefined && expiresAtMs !== undefined
      ? callAt(clock, expiresAtMs, () => this.lose("expired"))
      : () => {};
    lease?.onRevoked((why) => queueMicrotask(() => this.lose(why)));
  }

  /** Whether a token that is taken back is this one. */
  isOf({ jti, sub }: Revoked): boolean {
    return (jti !== undefined && this.grant.jti === jti) ||
      (sub !== undefined && this.grant.sub === sub);
  }

  /** The rights are gone. Idempotent. */
  lose(why: string): void {
    if (this.#over || this.#why !== undefined) return;
    this.#why = why;
    this.#onLost(why === "expired" ? "token expired" : why);
  }

  /** Nobody uses them any more. Idempotent. @param reason What the auth server is told, unless the rights were lost. */
  end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancel();
    this.#lease?.end(this.#why ?? reason);
  }
}
