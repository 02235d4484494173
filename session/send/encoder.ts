import type { Subgroup } from "../../relay/group/group.ts";
import type { SendStream } from "../../transport/connection.ts";
import type { Codes } from "../context.ts";

/** Which part of a group goes out, for readers that begin inside of one. What it says is up to the protocol. */
export interface Part {
  /** Where in the kept bytes it begins. */
  readonly position: number;
}

/** How one protocol writes groups. Each subscription and each fetch has one. Only {@link GroupBody} is called per frame. */
export interface GroupEncoder {
  /** The protocol's codes for streams. */
  readonly codes: Codes["stream"];
  /** The bytes before those of a group, on this stream. Without a part it goes out as a whole. */
  head(group: Subgroup, stream: SendStream, part?: Part): StreamHead;
  /** A cursor at the beginning of a group, or of that part of it. */
  body(part?: Part): GroupBody;
  /**
   * Aborts a stream so that the receiver cannot take the group for a complete one.
   * @param position How many of the kept bytes were written to the stream.
   */
  cut(stream: SendStream, group: Subgroup, position: number, code: number): void;
}

/** The first bytes of a stream. Viewers that need the same ones share them: never write into them. */
export class StreamHead {
  /** Head and body up to {@link StreamHead.position} in one piece, once a viewer has needed it. */
  first: Uint8Array | undefined;
  position = 0;

  constructor(readonly bytes: Uint8Array) {}
}

/** A cursor that turns the kept bytes of a group into those of a stream. */
export interface GroupBody {
  /** Where in the kept bytes the next piece begins. */
  readonly position: number;
  /** The next piece; moves on behind it. Shared: never write into it. */
  next(group: Subgroup): Uint8Array;
  /** What bounds it on this stream, if it does not take all bytes as they come. Called once, before the first piece. */
  limit?(stream: SendStream): GroupLimit | undefined;
}

/** Bounds a body: to whole records, or to the end of a part. */
export interface GroupLimit {
  /** How far in the kept bytes it may go now. */
  end(group: Subgroup): number;
  /** Whether it ends there, whatever comes. Asked when it has gone that far. */
  over(group: Subgroup): boolean;
}
