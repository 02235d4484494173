import type { Subgroup } from "../../relay/group/group.ts";
import type { SendStream } from "../../transport/connection.ts";
import type { Codes } from "../context.ts";

/** How one protocol writes groups. One is made for a subscription or a fetch; nothing of it is asked for per frame but a body. */
export interface GroupEncoder {
  /** What the protocol's streams are given up with. */
  readonly codes: Codes["stream"];
  /** What stands before the bytes of a group. */
  head(group: Subgroup): StreamHead;
  /** The bytes of one group, from its beginning on. */
  body(): GroupBody;
  /**
   * Ends a stream before its time, so that the receiver cannot take the group for a whole one.
   * @param position How much of the kept bytes was handed to the stream.
   */
  cut(stream: SendStream, group: Subgroup, position: number, code: number): void;
}

/** What a stream begins with. Viewers that want the same share it: never write into its bytes. */
export class StreamHead {
  /** Head and body up to {@link StreamHead.position} of the kept bytes in one piece, once a viewer has needed it. */
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
}
