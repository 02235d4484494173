/**
 * One group of one track over HTTP: the group with a number or the newest one, frame by frame as they come.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { QumoError, reasonOf } from "../../base/errors.ts";
import { GroupReader } from "../../client/frames.ts";
import type { Broadcast } from "../../relay/broadcast.ts";
import { NotFound } from "../../relay/errors.ts";
import type { Subgroup } from "../../relay/group/group.ts";
import type { Namespace } from "../../relay/namespace.ts";
import type { TrackEnd, TrackReader, TrackRequest } from "../../relay/ports.ts";
import type { Track } from "../../relay/track.ts";
import { isName, isPath } from "../../wire/path.ts";

export interface GroupWanted {
  /** Normalised. */
  readonly broadcast: string;
  readonly track: string;
  /** Its sequence; absent for the newest. */
  readonly group: number | undefined;
  /** How long to wait for the first frame, and for each further one. */
  readonly timeoutMs: number;
  /** Ends the wait. Its reason is the error. */
  readonly lost?: AbortSignal;
}

export interface GroupAnswer {
  readonly sequence: number;
  /** Payloads of the frames, joined. Fails when the group is cut. The caller reads or cancels it. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** There is no group to answer with. `status` is the HTTP status. */
export class FetchRefused extends QumoError {
  readonly code = "QUMO_FETCH_REFUSED";
  constructor(readonly status: 404 | 502 | 504, why: string, options?: ErrorOptions) {
    super(why, options);
  }
}

const PRIORITY = 128;

/** Finds a group. Fulfils when its first frame is there, or the group is empty. @throws {FetchRefused} */
export async function fetchGroup(origin: Namespace, wanted: GroupWanted): Promise<GroupAnswer> {
  const { broadcast: path, track, group } = wanted;
  // A path or name that peers refuse is not asked for.
  const passable = isPath(path) && isName(track);
  const broadcast = passable ? origin.find(path, 0n, track) : undefined;
  if (broadcast === undefined) throw new FetchRefused(404, "no such broadcast");
  const deadline = new Deadline(origin.context.clock, wanted.timeoutMs, wanted.lost);
  if (group === undefined) {
    const newest = new NewestGroup();
    const source = trackOf(broadcast, path, track);
    const leave = () => source.remove(newest);
    source.add(newest);
    try {
      const reader = await deadline.within(newest.found);
      return await answer(reader, deadline, leave);
    } catch (error) {
      leave();
      newest.found.then((reader) => reader.close(), () => {});
      throw refusal(error);
    }
  }
  const fetched = broadcast.fetch(path, track, { group, priority: PRIORITY }).then((found) => {
    const reader = new GroupReader(found);
    found.release();
    return reader;
  });
  try {
    return await answer(await deadline.within(fetched), deadline, () => {});
  } catch (error) {
    fetched.then((reader) => reader.close(), () => {});
    throw refusal(error);
  }
}

function trackOf(broadcast: Broadcast, path: string, name: string): Track {
  try {
    return broadcast.track(path, name);
  } catch (error) {
    throw refusal(error);
  }
}

/** Waits for the first frame: a failure before it gets its own HTTP status. */
async function answer(
  reader: GroupReader,
  deadline: Deadline,
  leave: () => void,
): Promise<GroupAnswer> {
  const end = () => {
    reader.close();
    leave();
  };
  let first = await deadline.within(reader.frame());
  let over = first === undefined;
  if (over) end();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        // A stream only pulls again after a chunk: empty frames are skipped.
        for (let sent = false; !sent && !over;) {
          const frame = first ?? await deadline.within(reader.frame());
          first = undefined;
          if (over) return; // cancelled meanwhile
          over = frame === undefined;
          sent = frame !== undefined && frame.payload.length > 0;
          if (sent) controller.enqueue(frame!.payload);
        }
        if (!over) return;
        end();
        controller.close();
      } catch (error) {
        end();
        controller.error(shortened(error));
      }
    },
    cancel() {
      over = true;
      end();
    },
  }, { highWaterMark: 0 });
  return { sequence: reader.sequence, body };
}

/** Subscribes until it has one group, and ignores the others. */
class NewestGroup implements TrackReader {
  readonly request: TrackRequest = { priority: PRIORITY, maxLatencyMs: 0 };
  readonly #found = Promise.withResolvers<GroupReader>();
  readonly found: Promise<GroupReader> = this.#found.promise;
  #taken = false;

  constructor() {
    this.found.catch(() => {}); // it may fail before anybody waits for it
  }

  onGroup(group: Subgroup): void {
    // A group without its beginning cannot be decoded.
    if (this.#taken || group.startFrame > 0) return;
    this.#taken = true;
    this.#found.resolve(new GroupReader(group));
  }

  onEnd(end: TrackEnd): void {
    const lost = end.kind === "failed" && end.why === "lost";
    const why = end.kind === "failed" ? end.reason : "the track ended without a group";
    this.#found.reject(new FetchRefused(lost ? 502 : 404, `no such track: ${why}`));
  }
}

/**
 * Ends a wait that takes too long. It also ends the wait for a client that has left before the first frame: the signal of
 * the runtime cannot be used for that, because it fires on every answer and writes to standard error.
 */
class Deadline {
  constructor(
    readonly clock: Clock,
    readonly timeoutMs: number,
    readonly lost: AbortSignal | undefined,
  ) {}

  async within<T>(promise: Promise<T>): Promise<T> {
    const over = Promise.withResolvers<never>();
    const cancel = this.clock.after(this.timeoutMs, () => {
      over.reject(new FetchRefused(504, `nothing came within ${this.timeoutMs} ms`));
    });
    const end = () => over.reject(this.lost?.reason);
    this.lost?.addEventListener("abort", end);
    if (this.lost?.aborted) end();
    try {
      return await Promise.race([promise, over.promise]);
    } finally {
      cancel();
      this.lost?.removeEventListener("abort", end);
    }
  }
}

function refusal(error: unknown): FetchRefused {
  if (error instanceof FetchRefused) return error;
  if (error instanceof NotFound) {
    return new FetchRefused(404, `no such ${error.why}`, { cause: error });
  }
  return new FetchRefused(502, reasonOf(error), { cause: error });
}

/** The runtime prints the error of a body. The stack is of no use in the log. */
function shortened(error: unknown): unknown {
  if (error instanceof Error) error.stack = `${error.name}: ${error.message}`;
  return error;
}
