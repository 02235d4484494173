/**
 * FETCH of the peer, and what a SUBSCRIBE asks for beside its objects (FILL_PARAMETERS, 20+).
 * Spec: draft-ietf-moq-transport-18, "FETCH"; -20 as peers use it.
 *
 * @module
 */
import type { Group } from "../../../../relay/group/group.ts";
import type { Track } from "../../../../relay/track.ts";
import type { Messages } from "../../../../wire/ietf/dialect.ts";
import type { Parameters } from "../../../../wire/ietf/parameters.ts";
import type { Exchange } from "../../exchange.ts";
import type { Granted } from "../../request_rights.ts";
import { type Known, knownTrack, Refusal } from "../known.ts";
import { trackParameters, trackProperties } from "../objects/properties.ts";
import type { ServedTrack } from "../served_track.ts";
import type { Serving } from "../serving.ts";
import { followUpdates, hasConditions, NO_CONDITIONS } from "../updates.ts";
import { FetchAnswer } from "./fetch_answer.ts";
import { FetchGroups, type FoundGroup } from "./fetch_groups.ts";
import { type FetchRange, fetchRange, joiningRange } from "./fetch_range.ts";
import { FetchStream } from "./fetch_stream.ts";

/** Most fetches of one session at a time. Each holds a group. */
const MAX_FETCHES = 100;

/** What is fetched, once it is known. */
interface Wanted extends Known {
  /** The rights that it is served by; absent where those of the session are enough. */
  readonly by: Granted | undefined;
  readonly range: FetchRange;
}

/** Serves one FETCH. Fulfils when nothing of it is left. */
export async function serveFetch(
  serving: Serving,
  exchange: Exchange,
  asked: Messages["fetch"],
  by?: Granted,
): Promise<void> {
  if (hasConditions(asked.parameters)) return exchange.refuse("invalidFilter", NO_CONDITIONS);
  const leave = serving.fetches.size < MAX_FETCHES ? serving.enter() : undefined;
  if (leave === undefined) return exchange.refuse("overloaded", "too many requests");
  const fetching = new Fetching(serving, exchange.id, asked.parameters, by);
  const gone = Promise.race([followUpdates(exchange, fetching), fetching.cancelled]);
  let answered = false;
  const unhear = by?.onLost((why) => {
    if (!answered) exchange.refuse("unauthorized", why);
    fetching.cancel();
  });
  try {
    const wanted = await wantedBy(serving, asked, gone, by);
    if (wanted === undefined) return;
    if (wanted instanceof Refusal) return exchange.refuse(wanted.word, wanted.reason);
    const unhearJoined = wanted.by === by ? undefined : wanted.by?.onLost(fetching.cancel);
    try {
      const { range: { end }, track } = wanted;
      const { profile } = serving.context;
      const refusal = await fetching.run(wanted, gone, () => {
        answered = true;
        const object = end.object ??
          (profile.fetchEndInclusive ? lastOf(track, end.group) : undefined);
        exchange.send("fetchOk", {
          endOfTrack: false,
          end: object === undefined ? { group: end.group } : { group: end.group, object },
          parameters: { ...trackParameters(profile, track.info), groupOrder: fetching.order },
          properties: trackProperties(profile, track.info, asked.parameters),
        });
      });
      if (refusal !== undefined) return exchange.refuse(refusal.word, refusal.reason);
      exchange.finish();
    } finally {
      unhearJoined?.();
      wanted.release();
    }
  } finally {
    unhear?.();
    fetching.isOver = true;
    serving.fetches.delete(fetching);
    leave();
  }
}

/** What was published before a subscription began, on a stream of its own that counts as one of the subscription's. */
export async function fill(
  serving: Serving,
  served: ServedTrack,
  wishes: Parameters,
  gone: Promise<unknown>,
): Promise<void> {
  const largest = served.joining;
  const range = largest && fetchRange(wishes.filter, largest);
  if (range === undefined || serving.fetches.size >= MAX_FETCHES) return;
  const fetching = new Fetching(serving, served.id, wishes);
  const release = served.hold();
  const known = { track: served.track, range, release, by: served.by };
  const ended = Promise.race([gone, fetching.cancelled]);
  const unhear = served.by?.onLost(fetching.cancel);
  try {
    await fetching.run(known, ended, () => served.outgoing.opened++);
  } finally {
    serving.fetches.delete(fetching);
    unhear?.();
    release();
  }
}

/** What a FETCH means. @returns `undefined` when the peer has left. */
async function wantedBy(
  serving: Serving,
  { target, parameters }: Messages["fetch"],
  gone: Promise<unknown>,
  granted?: Granted,
): Promise<Wanted | Refusal | undefined> {
  const joined = target.kind === "joining"
    ? await joinedBy(serving, target.subscription, gone)
    : undefined;
  if (joined instanceof Refusal) return joined;
  const by = joined === undefined ? granted : joined.by;
  const place = target.kind === "track"
    ? serving.placeOf(target, by)
    : { path: joined!.track.broadcast, name: joined!.track.name, by };
  // A subscription may end before the fetch that has joined it.
  joined?.by?.keep();
  const known = await knownTrack(serving, place, gone);
  if (known === undefined || known instanceof Refusal) {
    joined?.by?.leave();
    return known;
  }
  const release = () => {
    known.release();
    joined?.by?.leave();
  };
  const largest = joined === undefined ? known.track.largest : joined.joining;
  const range = largest === undefined
    ? undefined
    : target.kind === "joining"
    ? joiningRange(target, largest)
    : fetchRange(parameters.filter, largest);
  if (range !== undefined) return { ...known, range, by, release };
  release();
  return new Refusal("invalidRange", "nothing has been published there");
}

async function joinedBy(
  serving: Serving,
  subscription: number,
  gone: Promise<unknown>,
): Promise<ServedTrack | Refusal> {
  const served = await serving.servedFor(subscription, gone);
  if (served === undefined) return new Refusal("invalidJoining", "there is no such subscription");
  if (!served.forwards) return new Refusal("invalidRange", "the subscription is paused");
  return served;
}

/** The id of the last object of a group that is kept, or the largest id there may be. */
function lastOf(track: Track, sequence: number): number {
  const group = track.ring.get(sequence);
  if (group === undefined || !group.isOver) return Number.MAX_SAFE_INTEGER;
  return Math.max(0, group.lastId);
}

/** One answer on its way. */
class Fetching {
  isOver = false;
  /** Fulfils when it is given up here. */
  readonly cancelled: Promise<void>;
  readonly cancel: () => void;
  readonly #serving: Serving;
  readonly #requestId: number;
  #wishes: Parameters;
  #stream: FetchStream | undefined;

  constructor(
    serving: Serving,
    requestId: number,
    wishes: Parameters,
    readonly by?: Granted,
  ) {
    this.#serving = serving;
    this.#requestId = requestId;
    this.#wishes = wishes;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.cancelled = promise;
    this.cancel = resolve;
    serving.fetches.add(this);
  }

  get order() {
    return this.#wishes.groupOrder ?? "ascending";
  }

  get state(): Parameters {
    return {};
  }

  update(changes: Parameters): void {
    this.#wishes = { ...this.#wishes, ...changes };
    if (this.#stream !== undefined) this.#stream.priority = this.#priority;
  }

  updateFailed(): void {
    this.cancel();
  }

  /**
   * Answers. @param accept Called when something was found, before its stream opens.
   * @returns Why there is no answer.
   */
  async run(
    { track, range, by }: Wanted,
    gone: Promise<unknown>,
    accept: () => void,
  ): Promise<Refusal | undefined> {
    const { context, sent } = this.#serving;
    const { order } = this;
    const place = { path: track.broadcast, name: track.name, by };
    const broadcast = this.#serving.find(place);
    if (broadcast === undefined) return new Refusal("doesNotExist", "nobody announces it");
    const groups = new FetchGroups({
      ...{ broadcast, track, order, peerHop: context.peerHop },
      first: range.start.group,
      last: range.end.group,
      priority: this.#priority,
    });
    const { found, missing } = await this.#first(groups);
    if (found === undefined) return new Refusal("noObjects", "nobody has these objects");
    if (missing !== undefined && context.profile.rangeMarkers.length === 0) {
      found.group?.release();
      return new Refusal("unknownStatus", "nobody has the first of these objects");
    }
    accept();
    const stream = await this.#open(found.group);
    sent.groups.add(stream);
    this.#stream = stream;
    const answer = new FetchAnswer({ context, track, range, order, groups, stream, gone });
    try {
      await answer.send(found, missing);
    } catch (error) {
      stream.abort();
      throw error;
    } finally {
      sent.groups.delete(stream);
    }
    return undefined;
  }

  get #priority(): number {
    return 255 - (this.#wishes.priority ?? 128);
  }

  /** The first group that somebody has, and the last that is missing before it. */
  async #first(groups: FetchGroups): Promise<{ found?: FoundGroup; missing?: number }> {
    let missing: number | undefined;
    for (;;) {
      const found = await groups.next();
      if (found === undefined) return {};
      if (found.group !== undefined) return missing === undefined ? { found } : { found, missing };
      missing = found.sequence;
    }
  }

  async #open(group: Group | undefined): Promise<FetchStream> {
    try {
      return await FetchStream.open(this.#serving.context, this.#requestId, this.#priority);
    } catch (error) {
      group?.release();
      throw error;
    }
  }
}
