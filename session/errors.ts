import { QumoError } from "../base/errors.ts";
import type { CloseReason } from "./reasons.ts";

/** Both ends speak MoQ, but no version of it in common. */
export class NoCommonVersion extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_NO_COMMON_VERSION";
  /**
   * Made by the handshake.
   *
   * @param offered Versions of the peer.
   * @param ours Versions of this side.
   */
  constructor(offered: string, ours: string) {
    super(`Cannot agree on a MoQ version: the peer offers ${offered}, we speak ${ours}`);
  }
}

/** The peer may not come in. */
export class SessionRefused extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_SESSION_REFUSED";
  /**
   * Made by the code that decides on access.
   *
   * @param reason What the connection is closed with.
   * @param why For people and for the peer. It has no part of the token.
   */
  constructor(readonly reason: CloseReason, why: string) {
    super(`Refused: ${why}`);
  }
}
