/**
 * FETCH on its stream, in both directions: one group, as bare frames.
 *
 * @module
 */
import type { Broadcast } from "../../../relay/broadcast.ts";
import { NotFound, SourceLost } from "../../../relay/errors.ts";
import type { Subgroup } from "../../../relay/group/group.ts";
import type { FetchRequest, GroupSink } from "../../../relay/ports.ts";
import type { BidiStream } from "../../../transport/connection.ts";
import { ConnectionClosed, StreamReset } from "../../../transport/errors.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import { STREAM_CODE } from "../../../wire/lite/codes.ts";
import { BIDI } from "../../../wire/lite/dialect.ts";
import { framed } from "../../../wire/message.ts";
import { ServedFetch } from "../../send/served_fetch.ts";
import type { LiteContext } from "../context.ts";
import { excerpt, type FrameBounds, isBounded } from "../excerpt.ts";
import { LiteEncoder } from "../group_encoder.ts";
import { FetchAnswer } from "./fetch_answer.ts";

/** What our FETCH asks of its session. */
export interface FetchAsking {
  readonly context: LiteContext;
  /** Sends a request on a stream of its own. */
  open(request: Uint8Array, what: string): Promise<BidiStream>;
  /** The stream is not used any more. */
  done(stream: BidiStream): void;
}

/** Which group is asked for. */
export interface FetchWish extends FetchRequest {
  /** As the peer calls it. */
  readonly broadcast: string;
  readonly track: string;
}

/** Asks the peer for a group. As `BroadcastSource.fetch`. @param what The group, for errors. */
export async function askFetch(
  { context, open, done }: FetchAsking,
  { broadcast, track, priority, group }: FetchWish,
  what: string,
  sink: GroupSink,
): Promise<void> {
  const { fetch } = context.dialect;
  if (fetch === undefined) throw new NotFound(what, "group");
  const bounds = { startFrame: 0, endFrame: undefined };
  const asked = fetch.encode({ broadcast, track, priority, group, ...bounds });
  const stream = await open(framed(asked, BIDI.fetch), what);
  const writer = sink.open();
  if (writer === undefined) return stream.receive.stop(STREAM_CODE.cancel);
  const answer = new FetchAnswer(context, stream, writer);
  try {
    // The answer has begun with its first frame, or with a FIN: an empty group.
    let more = true;
    while (more && writer.subgroup.written === 0) more = await answer.next();
    if (!more && !answer.whole && writer.subgroup.written === 0) {
      throw new NotFound(what, "group");
    }
  } catch (error) {
    answer.leave();
    done(stream);
    if (error instanceof ProtocolViolation) context.failed(error);
    if (error instanceof StreamReset) throw new NotFound(what, "group");
    if (error instanceof ConnectionClosed) throw new SourceLost(what, { cause: error });
    throw error;
  }
  void answer.rest().then(() => {
    done(stream);
    sink.ended(true);
  });
}

/** The peer's FETCH. */
export interface FetchAsked extends FetchRequest, FrameBounds {
  readonly track: string;
}

/** Answers the peer's FETCH. @throws {NotFound} @throws {SourceLost} */
export async function serveFetch(
  { dialect, stats, clock, quota, serve }: LiteContext,
  stream: BidiStream,
  broadcast: Broadcast,
  { path, asked, hop }: { readonly path: string; readonly asked: FetchAsked; readonly hop: bigint },
  onDone: (served: ServedFetch) => void,
): Promise<ServedFetch> {
  const whole = await broadcast.fetch(path, asked.track, asked, hop);
  const group: Subgroup = isBounded(asked) ? excerpt(whole, asked, serve!.context.pool) : whole;
  if (group !== whole) whole.release();
  const encoder = new LiteEncoder(dialect);
  const served: ServedFetch = new ServedFetch({
    ...{ stream, group, encoder, stats, clock, quota },
    onDone: () => onDone(served),
  });
  return served;
}
