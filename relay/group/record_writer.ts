/**
 * Writes records of layouts other than "frames" into a subgroup: by the bytes of their head and the size of their payload, or
 * as they lie in another thread. The core does not read them.
 *
 * @module
 */
import type { Subgroup } from "./group.ts";
import type { GroupWriter } from "./group_writer.ts";

/** How far the records of a subgroup are whole. */
export interface Marks {
  /** How many are, and where the last of them ends. */
  readonly frames: number;
  readonly wholeBytes: number;
  /** Id of that one; -1 if there is none. */
  readonly lastId: number;
}

/** For frames: who reads them finds their ends. */
export const NO_MARKS: Marks = { frames: 0, wholeBytes: 0, lastId: -1 };

/**
 * Begins a record. Its payload follows by {@link GroupWriter.payload}.
 * @param head All bytes before the payload.
 * @param size Payload bytes.
 * @param id Of its object.
 * @throws {GroupTooLarge}
 */
export function beginRecord(
  writer: GroupWriter,
  head: Uint8Array,
  size: number,
  id: number,
): void {
  const to = writer.subgroup;
  if (!writer.next(size)) return;
  const begun = to.written - to.wholeBytes;
  if (begun > head.length + size || !holds(to, to.wholeBytes, head)) return writer.cut();
  if (begun === 0) writer.checkSize(head.length, size);
  to.group.recordBytes += head.length + size - begun;
  append(writer, head.subarray(Math.min(begun, head.length)));
  if (begun === 0) to.beforeId = to.begunId;
  to.begunId = id;
  writer.begun(size, Math.max(0, begun - head.length));
}

/** Copies the bytes of the same subgroup in another thread, as they are. Nobody has to know the layout. */
export class RecordCopier {
  readonly #writer: GroupWriter;
  /** Bytes that the subgroup had already. They are skipped when they come again. */
  #skip: number;
  /** Marks say where records end. */
  readonly atBoundary = true;

  /** @param writer It has written nothing yet. */
  constructor(writer: GroupWriter) {
    this.#writer = writer;
    this.#skip = writer.subgroup.written;
  }

  /**
   * Takes the next bytes. The caller commits.
   * @param marks Where records end. Marks behind the bytes that have come do not count yet.
   * @throws {GroupTooLarge}
   */
  push(bytes: Uint8Array, { frames, wholeBytes, lastId }: Marks): void {
    const writer = this.#writer;
    if (!writer.open) return;
    const to = writer.subgroup;
    const known = bytes.subarray(0, this.#skip);
    if (!holds(to, to.written - this.#skip, known)) return writer.cut();
    this.#skip -= known.length;
    const written = to.group.written + bytes.length - known.length;
    if (written > writer.limits.maxGroupBytes) throw writer.tooLarge(written);
    to.group.recordBytes += bytes.length - known.length;
    append(writer, bytes.subarray(known.length));
    if (wholeBytes > to.written || wholeBytes <= to.wholeBytes) return;
    for (const counter of writer.counters) {
      counter.framesIn += frames - to.frames;
      counter.bytesIn += wholeBytes - to.wholeBytes;
    }
    to.frames = frames;
    to.wholeBytes = wholeBytes;
    to.beforeId = to.begunId = lastId;
  }
}

/** Whether the bytes written from `position` on are these. Compares only what has been written. */
function holds(
  { segments, ends }: Subgroup,
  position: number,
  bytes: Uint8Array,
): boolean {
  let start = 0;
  let at = 0;
  for (let i = 0; i < segments.length && at < bytes.length; i++) {
    const end = ends[i]!;
    const kept = segments[i]!.bytes;
    for (; position + at < end && at < bytes.length; at++) {
      if (kept[position + at - start] !== bytes[at]) return false;
    }
    start = end;
  }
  return true;
}

function append(writer: GroupWriter, bytes: Uint8Array): void {
  const to = writer.subgroup;
  for (let at = 0; at < bytes.length;) {
    if (!to.room(false)) throw writer.tooLarge(to.written);
    at += to.append(bytes.subarray(at));
  }
}
