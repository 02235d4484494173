import { QumoError } from "../base/errors.ts";

/** A publisher sent more in one group or frame than this relay takes. The group is cut; the track goes on. */
export class GroupTooLarge extends QumoError {
  readonly code = "QUMO_GROUP_TOO_LARGE";
  constructor(readonly sequence: number, bytes: number, limitBytes: number) {
    super(
      `Cannot keep group ${sequence}: ${bytes} bytes, at most ${limitBytes} (relay.max_group_bytes)`,
    );
  }
}

/** Nobody announces the broadcast, or its publisher does not have the track or group. */
export class NotFound extends QumoError {
  readonly code = "QUMO_NOT_FOUND";
  constructor(what: string, readonly why: "broadcast" | "track" | "group" = "track") {
    super(`Cannot find ${what}`);
  }
}

/** A source gave up on something it had begun: its session ended, or its publisher stopped. */
export class SourceLost extends QumoError {
  readonly code = "QUMO_SOURCE_LOST";
  constructor(what: string, options?: ErrorOptions) {
    super(`Lost the source of ${what}`, options);
  }
}
