/**
 * A link without sessions: each end watches the other one's origin and subscribes there, as a session of moq-lite-06 does.
 * There is no wire format in between, so a thousand nodes fit into one process.
 *
 * @module
 */
import { FrameCopier } from "../../../relay/group/frame_copier.ts";
import type { GroupCursor, Subgroup } from "../../../relay/group/group.ts";
import { NotFound } from "../../../relay/errors.ts";
import type { Namespace } from "../../../relay/namespace.ts";
import type { Announced, AnnounceEvent, PacedWatch } from "../../../relay/origin.ts";
import {
  type BroadcastSource,
  OWN_TRACK_INFO,
  type TrackEnd,
  type TrackInfo,
  type TrackReader,
  type TrackRequest,
  type TrackSink,
  type UpstreamSubscription,
} from "../../../relay/ports.ts";
import type { Track } from "../../../relay/track.ts";
import type { Carriage } from "./carriage.ts";
import type { Counted } from "../counted.ts";

/** One end: an origin as the other end may see it. */
export interface DirectEnd {
  readonly label: string;
  readonly hop: bigint;
  /** What it tells the other end; absent when nothing. */
  readonly serve?: Namespace;
  /** Where what the other end tells goes; absent when nowhere. */
  readonly consume?: Namespace;
}

/** Links two ends. @returns Ends the link; `abrupt` when it was lost without a word. */
export function linkDirectly(
  ends: readonly [DirectEnd, DirectEnd],
  { cost, carriage, counted }: {
    readonly cost: number;
    readonly carriage: Carriage;
    readonly counted: Counted;
  },
): (abrupt: boolean) => void {
  const [a, b] = ends;
  const halves = [
    new Half(0, a, b, cost, carriage, counted),
    new Half(1, b, a, cost, carriage, counted),
  ] as const;
  halves[0].begin(halves[1]);
  halves[1].begin(halves[0]);
  return (abrupt) => {
    carriage.end();
    for (const half of halves) half.end(abrupt);
  };
}

/** One end as the other one sees it: what it tells, and its tracks. */
class Half implements BroadcastSource {
  readonly label: string;
  readonly #announced = new Map<string, Announced>();
  readonly #requests = new Set<Request>();
  /** What is told at this moment goes out together. */
  #told: AnnounceEvent[] = [];
  #watch: PacedWatch | undefined;
  #over = false;

  /** @param way Towards the end that hears. */
  constructor(
    readonly way: 0 | 1,
    readonly teller: DirectEnd,
    readonly hearer: DirectEnd,
    readonly cost: number,
    readonly carriage: Carriage,
    readonly counted: Counted,
  ) {
    this.label = teller.label;
  }

  begin(other: Half): void {
    if (this.teller.serve === undefined || this.hearer.consume === undefined) return;
    this.#watch = this.teller.serve.watch(
      { excludeHop: this.hearer.hop, merged: true, except: other },
      (event) => this.#tell(event),
    );
  }

  /** The link is over. */
  end(abrupt: boolean): void {
    this.#over = true;
    this.#watch?.close();
    this.counted.changed();
    for (const announced of this.#announced.values()) announced.end(abrupt);
    this.#announced.clear();
    for (const request of [...this.#requests]) request.lost();
  }

  trackInfo(): Promise<TrackInfo> {
    return Promise.resolve(OWN_TRACK_INFO);
  }

  subscribe(
    broadcast: string,
    track: string,
    request: TrackRequest,
    sink: TrackSink,
  ): UpstreamSubscription {
    const one = new Request(this, request, sink, () => this.#requests.delete(one));
    this.#requests.add(one);
    this.back(() => {
      const { serve } = this.teller;
      const { hop } = this.hearer;
      one.begin(serve?.find(broadcast, hop, track)?.track(broadcast, track, hop));
    });
    return one;
  }

  fetch(broadcast: string): Promise<void> {
    return Promise.reject(new NotFound(`broadcast ${broadcast}`, "broadcast"));
  }

  /** Something arrives at the end that hears. */
  there(arrived: () => void): void {
    this.carriage.send(this.way, arrived);
  }

  /** Something arrives at the end that tells. */
  back(arrived: () => void): void {
    this.carriage.send(this.way === 0 ? 1 : 0, arrived);
  }

  #tell(event: AnnounceEvent): void {
    this.counted.messages++;
    if (this.#told.push(event) > 1) return;
    queueMicrotask(() => {
      const told = this.#told;
      this.#told = [];
      this.there(() => {
        for (const each of told) this.#hear(each);
      });
    });
  }

  #hear({ path, route }: AnnounceEvent): void {
    if (this.#over) return;
    this.counted.changed();
    const known = this.#announced.get(path);
    if (route === undefined) {
      this.#announced.delete(path);
      return known?.end();
    }
    const announcement = {
      hops: [...route.hops, this.teller.hop],
      warm: route.warm + this.cost,
      cold: route.cold + this.cost,
    };
    if (known !== undefined) return known.update(announcement);
    const placed = this.hearer.consume!.announce(path, this, announcement);
    if (placed !== undefined) this.#announced.set(path, placed);
  }
}

/** One subscription over the link. */
class Request implements UpstreamSubscription, TrackReader {
  request: TrackRequest;
  readonly hop: bigint;
  #track: Track | undefined;
  #over = false;

  constructor(
    readonly half: Half,
    request: TrackRequest,
    readonly sink: TrackSink,
    readonly onOver: () => void,
  ) {
    this.hop = half.hearer.hop;
    this.request = request;
  }

  /** The request has arrived. */
  begin(track: Track | undefined): void {
    if (this.#over) return;
    this.#track = track;
    if (track !== undefined) track.add(this);
    else this.onEnd({ kind: "failed", why: "unroutable", reason: "no such broadcast" });
  }

  update(request: TrackRequest): void {
    this.half.back(() => {
      this.request = request;
      if (!this.#over) this.#track?.change(this, request);
    });
  }

  close(): void {
    this.#end();
    this.half.back(() => this.#track?.remove(this));
  }

  /** The link is lost. */
  lost(): void {
    const was = this.#over;
    this.#end();
    this.#track?.remove(this);
    if (!was) this.sink.ended({ kind: "failed", why: "lost", reason: "the link is lost" });
  }

  onGroup(subgroup: Subgroup): void {
    new Follower(subgroup, () => this.#send(subgroup));
  }

  onEnd(end: TrackEnd): void {
    this.half.there(() => {
      if (this.#over) return;
      this.#end();
      this.sink.ended(end);
    });
  }

  /** Whole groups go over the link: cut ones are not taken further. */
  #send(subgroup: Subgroup): void {
    if (subgroup.state === "cut") return;
    const bytes = subgroup.slice(0).slice();
    this.half.there(() => {
      const writer = this.#over ? undefined : this.sink.openGroup(subgroup.sequence);
      if (writer === undefined) return;
      new FrameCopier(writer).push(bytes);
      writer.commit();
      writer.finish();
    });
  }

  #end(): void {
    this.#over = true;
    this.onOver();
  }
}

/** Waits for the end of a group. */
export class Follower implements GroupCursor {
  slot = -1;

  constructor(readonly subgroup: Subgroup, readonly onOver: () => void) {
    subgroup.attach(this);
    this.pump();
  }

  pump(): void {
    if (this.subgroup.state === "open") return;
    this.onOver();
    this.subgroup.detach(this);
  }
}
