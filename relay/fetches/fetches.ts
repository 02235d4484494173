/**
 * Fetches single groups of a broadcast: from the tracks that keep them, from the archive, or from its sources. Calls for the same
 * group at the same time share one request.
 *
 * @module
 */
import { NotFound } from "../errors.ts";
import type { CopiedTrack } from "../group/copies.ts";
import { FetchedGroup } from "../group/fetched_group.ts";
import type { Group, Subgroup } from "../group/group.ts";
import type { IngressCounter } from "../group/group_writer.ts";
import { type FetchRequest, type TrackInfo, UNTOLD_TRACK_INFO } from "../ports.ts";
import { type HopId, type Route, SIBLINGS } from "../route.ts";
import type { Track, TrackContext } from "../track.ts";
import { trackKey } from "../../wire/path.ts";

/** What it asks of its broadcast. */
export interface FetchHost {
  readonly context: TrackContext;
  /** The routes that may serve a track to a reader with this hop, the best first. */
  usable(path: string, excludeHop: HopId, track: string): readonly Route[];
  /** Whether a route runs through this hop. */
  isPassedBy(hop: HopId): boolean;
  /** The tracks that may keep a group for a reader with this hop. */
  kept(path: string, name: string, excludeHop: HopId): readonly Track[];
  trackInfo(path: string, name: string, excludeHop: HopId): Promise<TrackInfo>;
}

interface PendingFetch {
  readonly group: Promise<Group>;
  askers: number;
}

/** Makes them for one broadcast. */
export function fetchesOf(host: FetchHost): Fetches {
  return new Fetches(host);
}

export class Fetches {
  readonly #host: FetchHost;
  readonly #pending = new Map<string, PendingFetch>();

  constructor(host: FetchHost) {
    this.#host = host;
  }

  /**
   * One group as frames; else as {@link Fetches.fetchGroup}.
   * @returns The whole group, retained for the caller, who releases it. It may still grow.
   * @throws {NotFound} @throws {SourceLost}
   */
  async fetch(
    path: string,
    name: string,
    request: FetchRequest,
    excludeHop: HopId,
  ): Promise<Subgroup> {
    const { copyOf } = this.#host.context;
    const isUsable = ({ first }: Group) => first.head.layout === "frames" || copyOf !== undefined;
    const group = await this.#fetch(path, name, request, excludeHop, isUsable);
    const { first } = group;
    if (first.head.layout === "frames") return first;
    const copy = copyOf?.(first, "frames", await this.#copiedTrack(path, name, excludeHop));
    group.release();
    if (copy === undefined || typeof copy === "string") throw noSuchGroup(name, request);
    return copy;
  }

  /** What copies of a fetched group in another layout ask of its track. */
  async #copiedTrack(path: string, name: string, excludeHop: HopId): Promise<CopiedTrack> {
    const asked = this.#host.trackInfo(path, name, excludeHop);
    const info = await asked.catch(() => UNTOLD_TRACK_INFO);
    return { info, infoComes: false, context: this.#host.context };
  }

  /**
   * One group, from the cache, the archive or the source. Calls for the same group at the same time share one request.
   * @param excludeHop The hop of the reader, 0n for none.
   * @returns The group in whatever layout it is kept or comes, retained for the caller, who releases it. It may still grow,
   *   also by subgroups, until {@link Group.isOver}; then its state says whether it is complete.
   * @throws {NotFound} @throws {SourceLost}
   */
  async fetchGroup(
    path: string,
    name: string,
    request: FetchRequest,
    excludeHop: HopId,
  ): Promise<Group> {
    return await this.#fetch(path, name, request, excludeHop, () => true);
  }

  /** @param isUsable Whether the caller can use a group that is kept. */
  async #fetch(
    path: string,
    name: string,
    request: FetchRequest,
    excludeHop: HopId,
    isUsable: (group: Group) => boolean,
  ): Promise<Group> {
    const { stats } = this.#host.context;
    const counted = excludeHop !== SIBLINGS;
    if (counted) stats.fetches++;
    const tracks = this.#host.kept(path, name, excludeHop);
    const kept = tracks.flatMap(({ ring }) => ring.get(request.group) ?? []);
    const isWhole = (group: Group) => group.state !== "cut" && group.fromStart && isUsable(group);
    const whole = kept.find(isWhole);
    const part = request.partial ? kept.find(isUsable) : undefined;
    const held = whole ?? part;
    held?.retain();
    if (whole === undefined) {
      try {
        const group = await this.#askedFor(path, name, request, excludeHop);
        held?.release();
        return group;
      } catch (error) {
        if (held === undefined) throw error;
      }
    }
    if (counted) stats.fetchesFromCache++;
    return held!;
  }

  /** The group from the archive or the source, retained for the caller. */
  #askedFor(
    path: string,
    name: string,
    request: FetchRequest,
    excludeHop: HopId,
  ): Promise<Group> {
    const exclude = this.#host.isPassedBy(excludeHop) ? excludeHop : 0n;
    const key = `${request.group} ${exclude} ${trackKey(path, name)}`;
    const known = this.#pending.get(key);
    if (known !== undefined) {
      known.askers++;
      return known.group;
    }
    const answer = this.#fetchOnce(path, name, request, exclude).then(
      (fetched) => {
        // No further call joins this request. Each one that did retains the group once.
        this.#pending.delete(key);
        for (let i = 1; i < pending.askers; i++) fetched.retain();
        return fetched;
      },
      (error: unknown) => {
        this.#pending.delete(key);
        throw error;
      },
    );
    const pending: PendingFetch = { group: answer, askers: 1 };
    this.#pending.set(key, pending);
    return answer;
  }

  /** Asks the archive before the source: it is nearer and keeps more. */
  async #fetchOnce(
    path: string,
    name: string,
    request: FetchRequest,
    excludeHop: HopId,
  ): Promise<Group> {
    const { archive, stats } = this.#host.context;
    if (archive !== undefined) {
      const answer = this.#fetchedGroup(request, []);
      if (await archive.fetch(path, name, request.group, answer.open()!)) {
        stats.fetchesFromArchive++;
        answer.ended(true);
        return answer.take()!;
      }
      answer.drop();
    }
    return await this.#fetchUpstream(path, name, request, excludeHop);
  }

  /** Asks one route after the other until one has begun to answer. */
  async #fetchUpstream(
    path: string,
    name: string,
    request: FetchRequest,
    excludeHop: HopId,
  ): Promise<Group> {
    const { stats } = this.#host.context;
    const routes = this.#host.usable(path, excludeHop, name);
    let failure: unknown = new NotFound(`a route to broadcast ${path}`, "broadcast");
    for (const { source } of routes) {
      const answer = this.#fetchedGroup(request, source.sibling ? [] : [stats]);
      try {
        await source.fetch(path, name, request, answer);
        const group = answer.take();
        if (group !== undefined) return group;
        failure = noSuchGroup(name, request);
      } catch (error) {
        failure = error;
      }
      answer.drop();
    }
    throw failure;
  }

  #fetchedGroup(request: FetchRequest, counters: readonly IngressCounter[]): FetchedGroup {
    const { pool, clock, limits } = this.#host.context;
    const sequence = request.group;
    return new FetchedGroup({ pool, sequence, now: clock.now(), limits, counters });
  }
}

function noSuchGroup(name: string, { group }: FetchRequest): NotFound {
  return new NotFound(`group ${group} of track ${name}`, "group");
}
