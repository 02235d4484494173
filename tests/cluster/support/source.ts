import {
  type Client,
  connect,
  type ConnectOptions,
  type TrackProducer,
} from "../../../client/mod.ts";
import { NUMBER_BYTES, putNumber } from "./record.ts";

export interface SourceOptions {
  readonly path: string;
  /** Every track has the same frames. Default: "video". */
  readonly tracks?: readonly string[];
  /** Default: {@link GROUP_FRAMES}. */
  readonly groupFrames?: number;
  /**
   * When frame 0 of group 0 is due, in milliseconds since 1970: two sources with the same one write the same groups at the same
   * time. Default: now.
   */
  readonly epochMs?: number;
  readonly connect?: ConnectOptions;
}

/** Frames of a group, a third of a second. */
export const GROUP_FRAMES = 10;
export const FRAMES_PER_SECOND = 30;
const FRAME_BYTES = 1200;
/** How long the groups are kept: longer than a loss goes unseen on the busiest machine. */
const MAX_AGE_MS = 30_000;

/** How a client of the drills connects: a machine that is busy for seconds does not count as a relay that is dead. */
export const LASTING: ConnectOptions = {
  reconnect: { minMs: 50, maxMs: 500 },
  timeoutMs: 5000,
  transport: { idleTimeoutMs: 20_000, keepAliveMs: 500 },
  groupCacheSize: 100, // half a minute
};

/** A track of numbered frames, and how far it is. */
export interface Numbered {
  readonly path: string;
  readonly track: string;
  /** The newest group that is whole; -1 before the first. */
  readonly newest: number;
}

/** A publisher whose frames are numbered: see {@link Record}. */
export class Source implements Numbered, AsyncDisposable {
  readonly path: string;
  /** The first of its tracks. */
  readonly track: string;
  readonly client: Client;
  readonly #tracks: readonly TrackProducer[];
  readonly #groupFrames: number;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #payload = new Uint8Array(FRAME_BYTES).fill(0x71);
  readonly #number = new DataView(this.#payload.buffer, 0, NUMBER_BYTES);
  #groups: ReturnType<TrackProducer["group"]>[] = [];
  #newest = -1;
  #stopping: PromiseWithResolvers<void> | undefined;

  private constructor(options: SourceOptions, client: Client) {
    const { path, tracks = ["video"], groupFrames = GROUP_FRAMES, epochMs = Date.now() } = options;
    this.path = path;
    this.track = tracks[0]!;
    this.client = client;
    this.#groupFrames = groupFrames;
    const broadcast = client.publish(path);
    this.#tracks = tracks.map((name) => broadcast.track(name, { maxAgeMs: MAX_AGE_MS }));
    const dueFrame = () => Math.floor((Date.now() - epochMs) * FRAMES_PER_SECOND / 1000);
    // Who comes late begins with the next whole group.
    let next = Math.ceil(Math.max(0, dueFrame()) / groupFrames) * groupFrames;
    this.#timer = setInterval(() => {
      while (next <= dueFrame() && this.#write(next)) next++;
    }, 1000 / FRAMES_PER_SECOND);
  }

  static async start(url: string | readonly string[], options: SourceOptions): Promise<Source> {
    const client = await connect(url as string, { ...LASTING, ...options.connect });
    return new Source(options, client);
  }

  get newest(): number {
    return this.#newest;
  }

  /** Writes the group to its end and no more. @returns The number of that group. */
  async stop(): Promise<number> {
    this.#stopping ??= Promise.withResolvers();
    await this.#stopping.promise;
    return this.#newest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.client.close();
  }

  /** @returns Whether more is to be written. */
  #write(due: number): boolean {
    const frame = due % this.#groupFrames;
    const group = (due - frame) / this.#groupFrames;
    const last = frame + 1 === this.#groupFrames;
    if (frame === 0) this.#groups = this.#tracks.map((track) => track.group(group));
    putNumber(this.#number, { group, frame, last });
    for (const open of this.#groups) open.write(this.#payload);
    if (!last) return true;
    for (const open of this.#groups) open.close();
    this.#newest = group;
    if (this.#stopping === undefined) return true;
    clearInterval(this.#timer);
    this.#stopping.resolve();
    return false;
  }
}
