import { reasonOf } from "../../base/errors.ts";
import { sameHost } from "../../base/same_host.ts";
import { type Client, type ConnectOptions, QumoError, randomHop } from "../../client/mod.ts";
import type { HangRecord } from "../../media/hang/hang_broadcast.ts";
import { Backoff } from "../../base/backoff.ts";
import { sleep } from "../../base/sleep.ts";
import { BroadcastWriter } from "../../media/broadcast/broadcast_writer.ts";
import { isCatalog } from "../../media/hang/catalog.ts";
import { dialRelay } from "../shell/connect_flags.ts";

/** The session with the relay ended, and no other one follows. */
export class RelayLost extends QumoError {
  readonly code = "QUMO_RELAY_LOST";
}

export interface LiveBroadcastOptions {
  readonly url: string;
  readonly broadcast: string;
  readonly connect: ConnectOptions;
  /** Ends with the first session instead of dialing again. */
  readonly once: boolean;
  /** Takes one line about the connection. */
  readonly tell: (line: string) => void;
}

/** Waits between attempts double from the first to the last of these. */
const BACKOFF = { minMs: 500, maxMs: 10_000 } as const;
/** Groups kept per track for those who join: more than a second of audio in groups of one frame. */
const GROUPS_KEPT = 64;

/**
 * A broadcast that outlives its connection. Frames go to the relay while there is a session and are dropped while there is
 * none. A new session goes on at the next keyframe, as the same publisher.
 */
export class LiveBroadcast {
  /** Rejects when publishing is over against our will. */
  readonly failed: Promise<never>;
  readonly #options: LiveBroadcastOptions;
  readonly #hop = randomHop();
  readonly #over = new AbortController();
  readonly #fail: (error: Error) => void;
  #client: Client | undefined;
  #writer: BroadcastWriter | undefined;
  /** The newest catalogs, by track. */
  readonly #catalogs = new Map<string, HangRecord>();
  #dialing: Promise<void> | undefined;

  /** Connects for the first time. @throws {QumoError} With what can be done about it. */
  static async start(options: LiveBroadcastOptions): Promise<LiveBroadcast> {
    const live = new LiveBroadcast(options);
    await live.#connect(options.url);
    return live;
  }

  private constructor(options: LiveBroadcastOptions) {
    this.#options = options;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {}); // it may fail before anybody waits
    this.failed = promise;
    this.#fail = reject;
  }

  /** The version spoken; absent while there is no session. */
  get version(): string | undefined {
    return this.#client?.version;
  }

  /** Subscriptions to all tracks together. */
  get subscriptions(): number {
    return this.#writer?.subscriptions ?? 0;
  }

  write(record: HangRecord): void {
    if (isCatalog(record.track)) this.#catalogs.set(record.track, record);
    this.#writer?.write(record);
  }

  /** Ends everything in order, and waits until the relay has it. @throws {RelayLost} There is no session to end. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#dialing;
    if (this.#client === undefined) {
      throw new RelayLost("Cannot end the broadcast in order: the relay is away");
    }
    this.#writer?.end();
    await this.#client.end();
  }

  async #connect(url: string): Promise<void> {
    const { broadcast, connect } = this.#options;
    const client = await dialRelay(url, {
      ...connect,
      hop: this.#hop,
      groupCacheSize: GROUPS_KEPT,
      signal: this.#over.signal,
      ongoaway: (uri) => this.#move(client, sameHost(uri, url) ? uri : url),
    });
    const previous = this.#client;
    this.#client = client;
    this.#writer = new BroadcastWriter(client.publish(broadcast));
    for (const catalog of this.#catalogs.values()) this.#writer.write(catalog);
    client.closed.then(({ reason }) => this.#lost(client, reason));
    void previous?.end();
  }

  #lost(client: Client, reason: string): void {
    if (client !== this.#client || this.#over.signal.aborted) return;
    this.#client = this.#writer = undefined;
    const why = `The connection to the relay is lost${reason === "" ? "" : `: ${reason}`}`;
    if (this.#options.once) return this.#fail(new RelayLost(why));
    this.#options.tell(why);
    this.#dialing ??= this.#dialAgain(this.#options.url);
  }

  /** The relay wants us elsewhere: the old session is used until the new one is there. */
  #move(client: Client, url: string): void {
    if (client !== this.#client || this.#options.once || this.#over.signal.aborted) return;
    this.#options.tell(`The relay asks us to move to ${url}`);
    this.#dialing ??= this.#dialAgain(url);
  }

  async #dialAgain(url: string): Promise<void> {
    const { signal } = this.#over;
    const backoff = new Backoff(BACKOFF);
    let target = url;
    while (!signal.aborted) {
      await sleep(backoff.next(), signal);
      if (signal.aborted) break;
      try {
        await this.#connect(target);
        this.#options.tell("Connected again");
        break;
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof QumoError)) {
          this.#fail(error instanceof Error ? error : new Error(reasonOf(error)));
          break;
        }
        this.#options.tell(`${error.message.split("\n")[0]}; trying again`);
        target = this.#options.url;
      }
    }
    this.#dialing = undefined;
  }
}
