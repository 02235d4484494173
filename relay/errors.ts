import { QumoError } from "../base/errors.ts";

/** A publisher sent more in one group or frame than this relay takes. The group is cut; the track goes on. */
export class GroupTooLarge extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_GROUP_TOO_LARGE";
  /**
   * Made by whoever takes the group in.
   *
   * @param sequence The group's number.
   * @param what Which of the two was too large.
   */
  constructor(
    readonly sequence: number,
    bytes: number,
    limitBytes: number,
    readonly what: "group" | "frame" = "group",
  ) {
    const of = what === "group" ? "group" : "a frame of group";
    const setting = what === "group" ? "relay.max_group_bytes" : "limits.max_frame_bytes";
    super(`Cannot keep ${of} ${sequence}: ${bytes} bytes, at most ${limitBytes} (${setting})`);
  }
}

/** Nobody announces the broadcast, or its publisher does not have the track or group. */
export class NotFound extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_NOT_FOUND";
  /**
   * Made by whoever was asked.
   *
   * @param why What of it is not there.
   */
  constructor(what: string, readonly why: "broadcast" | "track" | "group" = "track") {
    super(`Cannot find ${what}`);
  }
}

/** A source gave up on something it had begun: its session ended, or its publisher stopped. */
export class SourceLost extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_SOURCE_LOST";
  /**
   * Made by whoever read from it.
   *
   * @param what The track or group.
   */
  constructor(what: string, options?: ErrorOptions) {
    super(`Lost the source of ${what}`, options);
  }
}
