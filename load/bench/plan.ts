/**
 * Turns a requested load, which has ranges, into what each publisher and viewer does. It is drawn once, in one place, so
 * that publishers and viewers in different processes agree.
 *
 * @module
 */
import { draw, drawBetween, type Range } from "../figures/range.ts";

/** A requested load. */
export interface LoadSpec {
  /** Frames on tracks, or only announcements. Then `fps` counts announcements, and `tracks` is how many stay announced. */
  readonly kind: "media" | "announce";
  readonly publishers: Range;
  /** Tracks of each publisher. */
  readonly tracks: Range;
  readonly viewers: Range;
  /** A viewer watches all tracks of one publisher, or of every one. */
  readonly watch: "one" | "all";
  readonly fps: Range;
  readonly frameSize: Range;
  /** Frames in a group. */
  readonly groupSize: Range;
  readonly durationMs: number;
  /** Viewers connect evenly over this time. */
  readonly rampMs: number;
  /** How long a viewer stays before it leaves and comes back at once; for ever if absent. */
  readonly stayMs?: Range;
  /** Of a hundred viewers, how many read only now and then. */
  readonly slowPercent: number;
  /** Measure while viewers connect, instead of after all have. */
  readonly measureRamp: boolean;
}

export interface PublisherPlan {
  readonly broadcast: string;
  readonly tracks: number;
  readonly fps: number;
  readonly frameSize: number;
  readonly groupSize: number;
}

export interface TrackName {
  readonly broadcast: string;
  readonly track: string;
}

export interface ViewerPlan {
  /** When it connects, counted from the first viewer. */
  readonly startMs: number;
  readonly slow: boolean;
  readonly watch: readonly TrackName[];
  /** The length of its stays, drawn for each. */
  readonly stayMs?: Range;
  readonly seed: number;
}

export interface Plan {
  readonly publishers: readonly PublisherPlan[];
  readonly viewers: readonly ViewerPlan[];
}

export const trackName = (index: number): string => `track${index}`;

/**
 * Draws a plan.
 * @param prefix A prefix of all broadcast names, so that two runs on one relay do not collide.
 * @param random Like Math.random.
 */
export function drawPlan(spec: LoadSpec, prefix: string, random: () => number): Plan {
  const publishers = Array.from({ length: draw(spec.publishers, random) }, (_, i) => ({
    broadcast: `${prefix}/${i}`,
    tracks: draw(spec.tracks, random),
    fps: drawBetween(spec.fps, random),
    frameSize: draw(spec.frameSize, random),
    groupSize: draw(spec.groupSize, random),
  }));
  const tracksOf = ({ broadcast, tracks }: PublisherPlan) =>
    Array.from({ length: tracks }, (_, i) => ({ broadcast, track: trackName(i) }));
  // Without our own publishers somebody else publishes under the first one's name.
  const foreign = { broadcast: `${prefix}/0`, tracks: spec.tracks.max, fps: 0, frameSize: 0 };
  const sources = publishers.length > 0 ? publishers : [{ ...foreign, groupSize: 0 }];
  const all = spec.watch === "all" ? sources.flatMap(tracksOf) : undefined;
  const count = draw(spec.viewers, random);
  const viewers = Array.from({ length: count }, (_, i) => ({
    startMs: spec.rampMs * i / count,
    // Spread evenly: every n-th, not the first hundred.
    slow: Math.floor((i + 1) * spec.slowPercent / 100) > Math.floor(i * spec.slowPercent / 100),
    watch: all ?? tracksOf(sources[i % sources.length]!),
    ...(spec.stayMs === undefined ? {} : { stayMs: spec.stayMs }),
    seed: Math.floor(random() * 2 ** 32),
  }));
  return { publishers, viewers };
}

/**
 * Frames a second that reach viewers if nothing is lost, or announcements in a load of those. 0 if viewers come and go while
 * it measures: a new viewer first gets the frames of the group that it has missed.
 */
export function expectedPerSecond(spec: LoadSpec, { publishers, viewers }: Plan): number {
  if (spec.measureRamp) return 0;
  if (spec.kind === "announce") {
    return viewers.length * publishers.reduce((sum, { fps }) => sum + fps, 0);
  }
  const fpsOf = new Map(publishers.map(({ broadcast, fps }) => [broadcast, fps]));
  return viewers.reduce(
    (sum, { watch }) => watch.reduce((s, { broadcast }) => s + (fpsOf.get(broadcast) ?? 0), sum),
    0,
  );
}
