/**
 * FETCH and FETCH_OK. Spec: draft-ietf-moq-transport-14 … -19, "FETCH"; as peers write 20 to 22.
 *
 * @module
 */
import { checked, type Field, flag, type Message, u8, varint } from "../../message.ts";
import { MAX_VARINT } from "../../varint.ts";
import { anyOrder } from "../fields.ts";
import type { Filter, RangeEnd } from "../filter.ts";
import { type FullName, fullNameProblem, namespace, trackName } from "../names.ts";
import { parameters } from "../parameter_codec.ts";
import type { Parameters } from "../parameters.ts";
import type { Profile } from "../profile.ts";
import { answeredId, declare, folded, properties, requestId } from "./parts.ts";
import { capped } from "../integers.ts";

/** What is fetched: of a track by its name, or of a running subscription, from a group on up to where that began. */
export type FetchTarget =
  | { readonly kind: "track" } & FullName
  | {
    readonly kind: "joining";
    /** The request that subscribed. */
    readonly subscription: number;
    /** Whether `group` counts back from the largest, or is a group's number. */
    readonly from: "groups-back" | "group";
    readonly group: number;
  };

/**
 * FETCH. The range is `parameters.filter`: up to 19 it has to be of kind "range" for a track, without an end it goes as far
 * as there is something; with a joining fetch there is none. From 20 on all filters have a meaning.
 */
export interface Fetch {
  readonly requestId: number;
  readonly target: FetchTarget;
  readonly parameters: Parameters;
}

const STANDALONE = 1;
const RELATIVE = 2;
const ABSOLUTE = 3;

/** An end behind one more object; 0 is the whole group. */
const exclusiveEnd: Field<RangeEnd> = {
  write(w, v) {
    w.varint(v.group);
    w.varint(v.object === undefined ? 0 : v.object + 1);
  },
  read(r) {
    const group = capped.read(r);
    const object = capped.read(r);
    return object === 0 ? { group } : { group, object: object - 1 };
  },
};

interface Range {
  readonly target: FetchTarget;
  readonly filter: Filter | undefined;
}

/** The type of a fetch with what it says of the range, up to 19. */
function range(p: Profile): Field<Range> {
  const space = namespace(p);
  return {
    write(w, { target, filter }) {
      if (target.kind === "joining") {
        w.varint(target.from === "group" ? ABSOLUTE : RELATIVE);
        w.varint(target.subscription);
        w.varint(target.group);
        return;
      }
      if (filter?.kind !== "range" && filter?.kind !== "all" && filter !== undefined) {
        throw new RangeError(`Cannot encode a fetch of "${filter.kind}" in this draft`);
      }
      const { start, end } = filter?.kind === "range" ? filter : ALL;
      w.varint(STANDALONE);
      space.write(w, target.namespace);
      trackName.write(w, target.track);
      w.varint(start.group);
      w.varint(start.object);
      exclusiveEnd.write(w, end ?? { group: MAX_VARINT });
    },
    read(r) {
      const type = r.roundedVarint();
      if (type === RELATIVE || type === ABSOLUTE) {
        const subscription = r.varint();
        const from = type === ABSOLUTE ? "group" : "groups-back";
        const target = { kind: "joining", subscription, from, group: capped.read(r) } as const;
        return { target, filter: undefined };
      }
      if (type !== STANDALONE) throw r.fail(`fetch of type ${type}`);
      const target = { kind: "track", namespace: space.read(r), track: trackName.read(r) } as const;
      const start = { group: capped.read(r), object: capped.read(r) };
      return { target, filter: { kind: "range", start, end: exclusiveEnd.read(r) } };
    },
  };
}
const ALL = { start: { group: 0, object: 0 }, end: undefined };

/** Takes the range apart into target and filter, and puts it together. */
function ranged(
  message: Message<
    { readonly requestId: number; readonly range: Range; readonly parameters: Parameters }
  >,
): Message<Fetch> {
  const split: Message<Fetch> = {
    ...message,
    encode: ({ requestId, target, parameters }) =>
      message.encode({ requestId, range: { target, filter: parameters.filter }, parameters }),
    decode(body) {
      const { requestId, range: { target, filter }, parameters } = message.decode(body);
      if (filter === undefined) return { requestId, target, parameters };
      return { requestId, target, parameters: { ...parameters, filter } };
    },
  };
  return checked(split, targetProblem);
}

function targetProblem({ target }: Fetch): string | undefined {
  return target.kind === "track" ? fullNameProblem(target) : undefined;
}

export function fetch14(p: Profile): Message<Fetch> {
  const flat = declare(p, "FETCH", {
    requestId: varint,
    priority: u8,
    groupOrder: anyOrder,
    range: range(p),
    parameters: parameters(p, "fetch"),
  });
  return ranged(folded(flat as Message<unknown>, { priority: 128, groupOrder: undefined }));
}
export function fetch15(p: Profile): Message<Fetch> {
  return ranged(declare(p, "FETCH", {
    requestId: requestId(p),
    range: range(p),
    parameters: parameters(p, "fetch"),
  }));
}

function namedTarget(p: Profile): Field<FetchTarget> {
  const space = namespace(p);
  return {
    write(w, v) {
      if (v.kind === "joining") {
        throw new RangeError("Cannot encode a joining fetch: this draft fills a subscription");
      }
      space.write(w, v.namespace);
      trackName.write(w, v.track);
    },
    read: (r) => ({ kind: "track", namespace: space.read(r), track: trackName.read(r) }),
  };
}

export function fetch20(p: Profile): Message<Fetch> {
  const message = declare(p, "FETCH", {
    requestId: requestId(p),
    target: namedTarget(p),
    parameters: parameters(p, "fetch"),
  });
  return checked(message, targetProblem);
}

/** FETCH_OK: how far the answer goes. */
export interface FetchOk {
  readonly requestId: number | undefined;
  /** Whether the end is that of the track. */
  readonly endOfTrack: boolean;
  /** The last object, or without one the whole group: that only up to 19. */
  readonly end: RangeEnd;
  readonly parameters: Parameters;
  /** The track's properties as they are written; empty where there are none. */
  readonly properties: Uint8Array;
}

const inclusiveEnd: Field<RangeEnd> = {
  write(w, v) {
    if (v.object === undefined) {
      throw new RangeError("Cannot encode FETCH_OK without the last object in this draft");
    }
    w.varint(v.group);
    w.varint(v.object);
  },
  read: (r) => ({ group: capped.read(r), object: capped.read(r) }),
};

export function fetchOk14(p: Profile): Message<FetchOk> {
  const flat = declare(p, "FETCH_OK", {
    requestId: answeredId(p),
    groupOrder: anyOrder,
    endOfTrack: flag,
    end: exclusiveEnd,
    parameters: parameters(p, "fetchOk"),
    properties: properties(p),
  });
  return folded<FetchOk>(flat as Message<unknown>, { groupOrder: "ascending" });
}
export function fetchOk15(p: Profile): Message<FetchOk> {
  return declare(p, "FETCH_OK", {
    requestId: answeredId(p),
    endOfTrack: flag,
    end: p.fetchEndInclusive ? inclusiveEnd : exclusiveEnd,
    parameters: parameters(p, "fetchOk"),
    properties: properties(p),
  });
}
