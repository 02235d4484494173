import { QumoError } from "../base/errors.ts";

/** A publisher sent more in one group or frame than may be kept. The group is cut; the track continues. */
export class GroupTooLarge extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_GROUP_TOO_LARGE";
  /**
   * Made by the receiver of the group.
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

/** No publisher announces the broadcast, or its publisher does not have the track or group. */
export class NotFound extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_NOT_FOUND";
  /**
   * Made where the request failed.
   *
   * @param why What does not exist.
   */
  constructor(what: string, readonly why: "broadcast" | "track" | "group" = "track") {
    super(`Cannot find ${what}`);
  }
}

/** Too many tracks of the broadcast wait for its publisher to confirm them. */
export class TooManyTracks extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_TOO_MANY_TRACKS";
  /**
   * Made by the broadcast.
   *
   * @param most How many may wait.
   */
  constructor(path: string, most: number) {
    super(
      `Cannot ask for one more track of ${path}: its publisher has not confirmed the last ${most}; try again later`,
    );
  }
}

/** A source stopped before the end: its session ended, or its publisher gave up. */
export class SourceLost extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_SOURCE_LOST";
  /**
   * Made by the reader.
   *
   * @param what The track or group.
   */
  constructor(what: string, options?: ErrorOptions) {
    super(`Lost the source of ${what}`, options);
  }
}
