/**
 * Writes the objects of a range on the stream that answers a FETCH: group by group, with never more than one in memory.
 *
 * @module
 */
import type { Group, GroupCursor, Subgroup } from "../../../../relay/group/group.ts";
import type { Track } from "../../../../relay/track.ts";
import { sleep } from "../../../../base/sleep.ts";
import { FetchWriter } from "../../../../wire/ietf/data/fetch_objects.ts";
import { STATUS } from "../../../../wire/ietf/data/object_head.ts";
import type { GroupOrder } from "../../../../wire/ietf/fields.ts";
import { type IetfContext, layoutOf } from "../../context.ts";
import type { FetchGroups, FoundGroup } from "./fetch_groups.ts";
import type { FetchRange } from "./fetch_range.ts";
import type { FetchStream } from "./fetch_stream.ts";
import { SLICE_OBJECTS } from "../objects/object_walk.ts";
import { MergedObjects, type Standing } from "./merged_objects.ts";
import { settledGroup } from "./whole_group.ts";

export interface FetchAnswerOptions {
  readonly context: IetfContext;
  readonly track: Track;
  readonly range: FetchRange;
  readonly order: GroupOrder;
  readonly groups: FetchGroups;
  readonly stream: FetchStream;
  /** Fulfils when the peer has left. */
  readonly gone: Promise<unknown>;
}

export class FetchAnswer {
  readonly #o: FetchAnswerOptions;
  readonly #writer: FetchWriter;
  /** The end of a range of which nobody knows anything, as long as it is not written. */
  #missing: { readonly group: number; readonly object: number } | undefined;
  #isGone = false;

  constructor(options: FetchAnswerOptions) {
    this.#o = options;
    this.#writer = new FetchWriter(options.context.profile, options.order);
    const leave = () => {
      this.#isGone = true;
      options.stream.leave();
    };
    options.gone.then(leave, leave);
  }

  /**
   * Writes all of it, and ends the stream.
   * @param first What was found first. Its group is released here.
   * @param missing The last group that was missing before it.
   */
  async send(first: FoundGroup, missing?: number): Promise<void> {
    const { groups, stream } = this.#o;
    if (missing !== undefined) this.#miss(missing);
    for (let found: FoundGroup | undefined = first; found !== undefined;) {
      const { group, sequence } = found;
      if (group === undefined) this.#miss(sequence);
      else {
        try {
          await this.#sendGroup(group);
        } finally {
          group.release();
        }
      }
      if (this.#over) return stream.abort();
      found = await groups.next();
    }
    this.#tellMissing();
    if (this.#over) return stream.abort();
    stream.finish();
  }

  get #over(): boolean {
    return this.#isGone || this.#o.stream.done;
  }

  async #sendGroup(group: Group): Promise<void> {
    const { context: { clock, profile, stats }, range: { start, end }, gone, stream } = this.#o;
    const { sequence } = group;
    const last = sequence === end.group ? end.object : undefined;
    await settledGroup(group, last, clock, gone);
    if (group.isEvicted) return this.#miss(sequence);
    const subgroups = this.#inLayout(group);
    const pins = subgroups.map((subgroup) => new Pin(subgroup, stream));
    try {
      const from = sequence === start.group ? start.object : 0;
      const firstId = Math.min(...subgroups.map(({ startFrame }) => startFrame));
      if (firstId > from) this.#missing = { group: sequence, object: firstId - 1 };
      const objects = new MergedObjects(subgroups, profile);
      let passed = 0;
      for (let one = objects.next(); one !== undefined; one = objects.next()) {
        // A group may have millions of objects, and the first one that is wanted may be the last.
        if (++passed % SLICE_OBJECTS === 0) await sleep(0);
        if (last !== undefined && one.walk.id > last) break;
        if (one.walk.id >= from) this.#object(sequence, one);
        if (stream.mustWait) await stream.ready();
        if (this.#over) return;
      }
      if (objects.isCut && last === undefined) this.#miss(sequence);
      stats.groupsOut++;
      stream.flush();
    } finally {
      if (this.#over) stream.abort();
      await stream.taken();
      for (const pin of pins) pin.leave();
      for (const subgroup of subgroups) subgroup.release();
    }
  }

  /** The subgroups as the peer's draft has them, each retained. */
  #inLayout(group: Group): readonly Subgroup[] {
    const { context: { profile }, track } = this.#o;
    const layout = layoutOf(profile);
    return group.subgroups.flatMap((subgroup) => {
      if (subgroup.head.layout === layout) {
        subgroup.retain();
        return [subgroup];
      }
      const copy = track.context.copyOf?.(subgroup, layout, track);
      return copy === undefined || typeof copy === "string" ? [] : [copy];
    });
  }

  #object(group: number, { subgroup, walk }: Standing): void {
    const { context: { profile, stats }, stream, track } = this.#o;
    if (walk.status !== STATUS.normal && !profile.fetchStatus) return;
    this.#tellMissing();
    if (this.#over) return;
    const { publisherPriority = track.info.priority, id } = subgroup.head;
    const size = walk.end - walk.payloadAt;
    const head = this.#writer.object({
      group,
      subgroup: id,
      object: walk.id,
      priority: 255 - publisherPriority,
      datagram: false,
      properties: walk.properties,
      status: walk.status,
    }, size);
    const pieces: Uint8Array[] = [];
    for (let at = walk.payloadAt; at < walk.end;) {
      const piece = subgroup.slice(at, walk.end);
      pieces.push(piece);
      at += piece.length;
    }
    stream.write(head, pieces);
    stats.framesOut++;
  }

  /** Nobody has the rest of a group, or a group. */
  #miss(group: number): void {
    const { end } = this.#o.range;
    const object = group === end.group
      ? end.object ?? Number.MAX_SAFE_INTEGER
      : Number.MAX_SAFE_INTEGER;
    this.#missing = { group, object };
  }

  #tellMissing(): void {
    const { context: { profile }, stream } = this.#o;
    const missing = this.#missing;
    if (missing === undefined) return;
    this.#missing = undefined;
    // A peer that cannot be told would take the gap for objects that do not exist.
    if (profile.rangeMarkers.length === 0) this.#isGone = true;
    else stream.write(this.#writer.missing("unknown", missing.group, missing.object));
  }
}

/** Gives a fetch up when the memory of a subgroup is needed elsewhere. */
class Pin implements GroupCursor {
  slot = -1;

  constructor(readonly subgroup: Subgroup, readonly stream: FetchStream) {
    subgroup.attach(this);
  }

  pump(): void {}

  evicted(): void {
    this.stream.evict();
  }

  leave(): void {
    this.subgroup.detach(this);
  }
}
