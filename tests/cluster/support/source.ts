import { type Client, connect, type ConnectOptions } from "../../../client/mod.ts";
import { NUMBER_BYTES, putNumber } from "./record.ts";

export interface SourceOptions {
  readonly path: string;
  /** Default: "video". */
  readonly track?: string;
  /** Frames in a group. Default: 10. */
  readonly groupSize?: number;
  /** Default: 30. */
  readonly framesPerSecond?: number;
  /** Default: 1200. */
  readonly frameBytes?: number;
  /** Number of the first group. Default: 0. */
  readonly firstGroup?: number;
  readonly connect?: ConnectOptions;
}

/**
 * How a client of the drills connects: it finds out soon that a relay is dead, and dials again.
 */
export const LASTING: ConnectOptions = {
  reconnect: { minMs: 50, maxMs: 500 },
  timeoutMs: 5000,
  transport: { idleTimeoutMs: 3000, keepAliveMs: 500 },
};

/** How long the groups of a numbered track are kept: longer than a loss goes unseen on the busiest machine. */
const MAX_AGE_MS = 30_000;

/** A publisher of one track whose frames are numbered. */
export class Source implements AsyncDisposable {
  readonly path: string;
  readonly track: string;
  readonly client: Client;
  readonly #timer: ReturnType<typeof setInterval>;
  #newest = -1;
  #stopping: PromiseWithResolvers<void> | undefined;

  private constructor(options: SourceOptions, client: Client) {
    const { groupSize = 10, framesPerSecond = 30, frameBytes = 1200, firstGroup = 0 } = options;
    this.path = options.path;
    this.track = options.track ?? "video";
    this.client = client;
    const track = client.publish(this.path).track(this.track, { maxAgeMs: MAX_AGE_MS });
    track.skip(firstGroup);
    const payload = new Uint8Array(Math.max(NUMBER_BYTES, frameBytes)).fill(0x71);
    const view = new DataView(payload.buffer);
    let group: ReturnType<typeof track.group> | undefined;
    const write = () => {
      group ??= track.group();
      const last = group.frames + 1 === groupSize;
      putNumber(view, { group: group.sequence, frame: group.frames, last });
      group.write(payload);
      if (!last) return;
      group.close();
      this.#newest = group.sequence;
      group = undefined;
      if (this.#stopping === undefined) return;
      clearInterval(this.#timer);
      this.#stopping.resolve();
    };
    this.#timer = setInterval(write, 1000 / framesPerSecond);
  }

  static async start(url: string | readonly string[], options: SourceOptions): Promise<Source> {
    const client = await connect(url as string, { ...LASTING, ...options.connect });
    return new Source(options, client);
  }

  /** The newest group that is whole; -1 before the first. */
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
}
