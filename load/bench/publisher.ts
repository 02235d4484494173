/**
 * One publisher: a session that writes stamped frames on its tracks, or announces stamped names.
 *
 * @module
 */
import {
  type BroadcastProducer,
  type Client,
  connect,
  type GroupProducer,
  type TrackProducer,
} from "../../client/mod.ts";
import type { LightTarget } from "../light_session.ts";
import type { Histogram } from "../figures/histogram.ts";
import { type PublisherPlan, trackName } from "./plan.ts";
import { putStamp, STAMP_BYTES, stampedName, wallMs } from "../figures/stamp.ts";
import { keyOf, type LastGroups } from "./viewer.ts";

/** How late a publisher may be. Beyond that it drops frames instead of writing all of them at once. */
const MAX_BEHIND_MS = 1000;

/** What all publishers of a process share. */
export interface PublisherContext {
  readonly target: LightTarget;
  readonly kind: "media" | "announce";
  /** Records how late each frame was written, in microseconds. */
  readonly lateUs: Histogram;
  readonly sent: { frames: number };
}

/** Dials as the library does. */
export async function dialClient({ url, hash, caCerts, versions }: LightTarget): Promise<Client> {
  return await connect(url, {
    ...(hash === undefined ? {} : { hash }),
    ...(caCerts === undefined ? {} : { caCerts }),
    ...(versions === undefined ? {} : { versions }),
  });
}

export class Publisher {
  readonly #plan: PublisherPlan;
  readonly #context: PublisherContext;
  readonly #client: Client;
  readonly #media: Media | undefined;
  /** Broadcasts that are up, oldest first. */
  readonly #announced: BroadcastProducer[] = [];
  readonly #periodMs: number;
  #startedMs = 0;
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopping: (() => void) | undefined;

  private constructor(plan: PublisherPlan, context: PublisherContext, client: Client) {
    this.#plan = plan;
    this.#context = context;
    this.#client = client;
    this.#periodMs = plan.fps > 0 ? 1000 / plan.fps : Infinity;
    this.#media = context.kind === "media" ? new Media(plan, client) : undefined;
  }

  /** Connects and announces. @throws {ConnectFailed} @throws {NoCommonVersion} */
  static async open(plan: PublisherPlan, context: PublisherContext): Promise<Publisher> {
    return new Publisher(plan, context, await dialClient(context.target));
  }

  start(): void {
    if (this.#periodMs === Infinity) return;
    // Publishers do not write at the same moment.
    this.#startedMs = performance.now() + Math.random() * this.#periodMs;
    this.#wait();
  }

  /** Stops at the end of a group. @returns The newest group of each track. */
  async stop(): Promise<LastGroups> {
    if (this.#timer !== undefined) {
      await new Promise<void>((resolve) => this.#stopping = resolve);
    }
    return this.#media?.last() ?? {};
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#client.close();
  }

  #wait(): void {
    const dueMs = this.#startedMs + this.#count * this.#periodMs;
    this.#timer = setTimeout(this.#write, Math.max(0, dueMs - performance.now()));
  }

  readonly #write = (): void => {
    const lateMs = performance.now() - this.#startedMs - this.#count * this.#periodMs;
    this.#context.lateUs.record(lateMs * 1000);
    if (lateMs > MAX_BEHIND_MS) this.#startedMs += lateMs;
    if (this.#media === undefined) this.#announce();
    else this.#context.sent.frames += this.#media.write();
    this.#count++;
    if (this.#stopping !== undefined && (this.#media?.betweenGroups ?? true)) {
      this.#timer = undefined;
      this.#stopping();
    } else this.#wait();
  };

  #announce(): void {
    const name = stampedName(this.#count, wallMs());
    this.#announced.push(this.#client.publish(`${this.#plan.broadcast}/${name}`));
    this.#context.sent.frames++;
    if (this.#announced.length > this.#plan.tracks) this.#announced.shift()!.close();
  }
}

/** The tracks of one publisher, written at the same moments. */
class Media {
  readonly #broadcast: BroadcastProducer;
  readonly #tracks: readonly TrackProducer[];
  readonly #frame: Uint8Array;
  readonly #stamp: DataView;
  readonly #groupSize: number;
  #groups: GroupProducer[] = [];
  #frames = 0;

  constructor(plan: PublisherPlan, client: Client) {
    this.#broadcast = client.publish(plan.broadcast);
    this.#tracks = Array.from(
      { length: plan.tracks },
      (_, i) => this.#broadcast.track(trackName(i)),
    );
    this.#frame = new Uint8Array(Math.max(STAMP_BYTES, plan.frameSize)).fill(0x71);
    this.#stamp = new DataView(this.#frame.buffer);
    this.#groupSize = plan.groupSize;
  }

  get betweenGroups(): boolean {
    return this.#groups.length === 0;
  }

  /** One frame on each track. @returns How many. */
  write(): number {
    if (this.betweenGroups) this.#groups = this.#tracks.map((track) => track.group());
    const last = ++this.#frames % this.#groupSize === 0;
    putStamp(this.#stamp, wallMs(), last);
    for (const group of this.#groups) {
      group.write(this.#frame);
      if (last) group.close();
    }
    if (last) this.#groups = [];
    return this.#tracks.length;
  }

  last(): LastGroups {
    const { path } = this.#broadcast;
    return Object.fromEntries(
      this.#tracks.map((track) => [keyOf(path, track.name), track.nextGroup - 1]),
    );
  }
}
