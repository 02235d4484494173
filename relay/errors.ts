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
    super(`Cannot keep ${of} ${sequence}: ${bytes} bytes, and a ${what} has ${limitBytes} at most`);
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

/** As many tracks of a broadcast are asked for as may be while its publisher has confirmed none of them. */
export class TooManyTracks extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_TOO_MANY_TRACKS";
  /**
   * Made by the broadcast that was asked.
   *
   * @param most How many may wait for the publisher's word.
   */
  constructor(path: string, most: number) {
    super(
      `Cannot ask for one more track of ${path}: its publisher has not confirmed the last ${most}; try again later`,
    );
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
