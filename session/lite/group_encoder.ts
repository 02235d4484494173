/**
 * How moq-lite writes groups: GROUP, then the frames of its version. The answer to a FETCH is bare frames.
 *
 * @module
 */
import { isFrameBoundary } from "../../relay/group/frame_layout.ts";
import type { Subgroup } from "../../relay/group/group.ts";
import type { SendStream } from "../../transport/connection.ts";
import { STREAM_CODE } from "../../wire/lite/codes.ts";
import { type Dialect, UNI } from "../../wire/lite/dialect.ts";
import { framed } from "../../wire/message.ts";
import { type GroupEncoder, StreamHead } from "../send/encoder.ts";
import { FrameHeads } from "./frame_heads.ts";

/** Half a varint: no message can end here, so a receiver knows the stream was cut. */
export const HALF_A_VARINT = new Uint8Array([0x40]);

/** The GROUP message of one group. Most subscribers use the same id and share it. */
class GroupHead extends StreamHead {
  constructor(readonly dialect: Dialect, readonly subscribe: number, bytes: Uint8Array) {
    super(bytes);
  }
}

const heads = new WeakMap<Subgroup, GroupHead>();
const NO_HEAD = new StreamHead(new Uint8Array(0));

export class LiteEncoder implements GroupEncoder {
  readonly codes = STREAM_CODE;

  /** @param subscribe Id of the subscription; absent for bare frames. */
  constructor(readonly dialect: Dialect, readonly subscribe?: number) {}

  head(group: Subgroup): StreamHead {
    const { dialect, subscribe } = this;
    if (subscribe === undefined) return NO_HEAD;
    const known = heads.get(group);
    if (known?.dialect === dialect && known.subscribe === subscribe) return known;
    const { sequence, startFrame } = group;
    const bytes = framed(dialect.group.encode({ subscribe, sequence, startFrame }), UNI.group);
    const head = new GroupHead(dialect, subscribe, bytes);
    heads.set(group, head);
    return head;
  }

  body(): FrameHeads {
    return new FrameHeads(this.dialect.timestamps);
  }

  /**
   * Without a reset the stream has to end inside a message. In the middle of a frame it does so by itself; between two frames
   * half a varint goes out first.
   */
  cut(stream: SendStream, group: Subgroup, position: number, code: number): void {
    if (stream.canReset) return stream.reset(code);
    if (isFrameBoundary(group, position)) stream.write(HALF_A_VARINT);
    stream.finish();
  }
}
