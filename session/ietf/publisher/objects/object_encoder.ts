/**
 * How moq-transport writes groups: the head of a subgroup's stream, then the kept objects as they are. Viewers with the same
 * alias share both. Spec: draft-ietf-moq-transport-18, "Subgroup Header".
 *
 * @module
 */
import type { Subgroup } from "../../../../relay/group/group.ts";
import type { SendStream } from "../../../../transport/connection.ts";
import { encodeSubgroupHeader } from "../../../../wire/ietf/data/stream_head.ts";
import type { Profile } from "../../../../wire/ietf/profile.ts";
import { concat } from "../../../../base/bytes.ts";
import {
  type GroupBody,
  type GroupEncoder,
  type GroupLimit,
  type Part,
  StreamHead,
} from "../../../send/encoder.ts";
import type { IetfContext } from "../../context.ts";
import { ObjectWalk } from "./object_walk.ts";

/** Some objects of a subgroup. */
export interface ObjectPart extends Part {
  /** The first one, if it is not the subgroup's: where it stands in the kept bytes behind its id. */
  readonly first: { readonly id: number } | undefined;
  /** Id of the last one at the most; Infinity without an end. */
  readonly last: number;
}

/** The priority that a track has by itself, 0 goes first. */
const DEFAULT_PRIORITY = 128;
/** The bit of a subgroup stream's type that leaves the priority out, where a draft has it. */
const NO_PRIORITY = 0x20;

/** A head, and for whom it was made. */
class ObjectHead extends StreamHead {
  constructor(
    bytes: Uint8Array,
    readonly profile: Profile,
    readonly alias: number,
    readonly endOfGroup: boolean,
    readonly priority: number | undefined,
  ) {
    super(bytes);
  }
}

/** The newest head of each subgroup. Most viewers share it. */
const heads = new WeakMap<Subgroup, ObjectHead>();

export class ObjectEncoder implements GroupEncoder {
  readonly codes: IetfContext["codes"]["stream"];
  readonly #profile: Profile;

  /**
   * @param alias Of the track, in this session.
   * @param priority Of subgroups without one of their own, 0 goes first. Absent: the peer knows it from the track.
   */
  constructor({ codes, profile }: IetfContext, readonly alias: number, public priority?: number) {
    this.codes = codes.stream;
    this.#profile = profile;
  }

  head(group: Subgroup, stream: SendStream, part?: ObjectPart): StreamHead {
    // A stream that may have to end early without a reset must not say that the group ends with it.
    const endOfGroup = group.head.endOfGroup && (part === undefined || part.last === Infinity) &&
      (stream.canReset || group.state === "complete");
    const profile = this.#profile;
    const priority = this.#priority(group);
    if (part?.first !== undefined) {
      const id = new Uint8Array(profile.varints.size(part.first.id));
      profile.varints.put(id, 0, part.first.id);
      return new StreamHead(concat([this.#header(group, endOfGroup, priority, false), id]));
    }
    const known = heads.get(group);
    if (
      known?.alias === this.alias && known.profile === profile &&
      known.endOfGroup === endOfGroup && known.priority === priority
    ) return known;
    const first = group.head.firstObject ?? group.startFrame === 0;
    const bytes = this.#header(group, endOfGroup, priority, first);
    const head = new ObjectHead(bytes, profile, this.alias, endOfGroup, priority);
    heads.set(group, head);
    return head;
  }

  body(part?: ObjectPart): ObjectBody {
    return new ObjectBody(this.#profile, part);
  }

  /** Without a reset the stream ends behind the object that was begun: half an object is an error to the peer. */
  cut(stream: SendStream, group: Subgroup, position: number, code: number): void {
    if (stream.canReset) return stream.reset(code);
    const end = wholeFrom(group, position, this.#profile);
    for (let at = position; at < end;) {
      const piece = group.slice(at, end);
      stream.write(piece);
      at += piece.length;
    }
    stream.finish();
  }

  #header(
    { sequence, head }: Subgroup,
    endOfGroup: boolean,
    priority: number | undefined,
    firstObject: boolean,
  ): Uint8Array {
    const { alias } = this;
    const properties = head.properties === true;
    return encodeSubgroupHeader(
      { alias, group: sequence, subgroup: head.id, priority, properties, endOfGroup, firstObject },
      this.#profile,
    );
  }

  #priority({ head: { publisherPriority } }: Subgroup): number | undefined {
    if (publisherPriority !== undefined) return 255 - publisherPriority;
    const mayLack = (this.#profile.subgroupTypeMask & NO_PRIORITY) !== 0;
    return this.priority ?? (mayLack ? undefined : DEFAULT_PRIORITY);
  }
}

/** Where the object ends that has the bytes before `position`. It has come to its end. */
function wholeFrom(group: Subgroup, position: number, profile: Profile): number {
  if (position === group.wholeBytes) return position;
  const walk = new ObjectWalk(profile);
  while (walk.end < position && walk.step(group));
  return Math.min(walk.end, group.bytes);
}

/** A cursor in kept objects. It is its own limit on streams without a reset, and where it ends inside the subgroup. */
export class ObjectBody implements GroupBody, GroupLimit {
  position: number;
  readonly #last: number;
  readonly #walk: ObjectWalk | undefined;
  #wholeOnly = false;
  #limited = false;
  /** Where the last object ends, once it is known. */
  #end = Infinity;

  constructor(profile: Profile, part?: ObjectPart) {
    this.position = part?.position ?? 0;
    this.#last = part?.last ?? Infinity;
    if (this.#last < Infinity) this.#walk = new ObjectWalk(profile);
  }

  next(group: Subgroup): Uint8Array {
    const slice = this.#limited
      ? group.slice(this.position, this.end(group))
      : group.slice(this.position);
    this.position += slice.length;
    return slice;
  }

  limit(stream: SendStream): GroupLimit | undefined {
    this.#wholeOnly = !stream.canReset;
    this.#limited = this.#wholeOnly || this.#walk !== undefined;
    return this.#limited ? this : undefined;
  }

  end(group: Subgroup): number {
    const here = this.#wholeOnly ? group.wholeBytes : group.bytes;
    if (this.#walk === undefined) return here;
    this.#findEnd(group, this.#walk);
    return Math.min(here, this.#end);
  }

  over(): boolean {
    return this.position >= this.#end;
  }

  #findEnd(group: Subgroup, walk: ObjectWalk): void {
    while (this.#end === Infinity && walk.step(group)) {
      if (walk.id > this.#last) this.#end = walk.start;
      else if (walk.id === this.#last) this.#end = walk.end;
    }
  }
}
