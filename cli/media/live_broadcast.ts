import {
  type Client,
  type ClientStatus,
  type ConnectOptions,
  QumoError,
} from "../../client/mod.ts";
import { BroadcastWriter } from "../../media/broadcast/broadcast_writer.ts";
import type { HangRecord } from "../../media/hang/hang_broadcast.ts";
import { dialRelay } from "../shell/connect_flags.ts";

/** The session with the relay ended, and no other one follows. */
export class RelayLost extends QumoError {
  readonly code = "QUMO_RELAY_LOST";
}

export interface LiveBroadcastOptions {
  /** The relay, or nodes of a cluster. */
  readonly urls: readonly [string, ...string[]];
  readonly broadcast: string;
  readonly connect: ConnectOptions;
  /** Ends with the first session instead of dialing again. */
  readonly once: boolean;
  /** Takes one line about the connection. */
  readonly tell: (line: string) => void;
}

/** A live source stays: its token may be good again later. */
const RECONNECT = { minMs: 500, maxMs: 10_000, evenRefused: true } as const;
/** Groups kept per track for those who join: more than a second of audio in groups of one frame. */
const GROUPS_KEPT = 64;

/** A broadcast that outlives its connection: the next session goes on with the groups that are kept, as the same publisher. */
export class LiveBroadcast {
  /** Rejects when publishing is over against our will. */
  readonly failed: Promise<never>;
  readonly #client: Client;
  readonly #writer: BroadcastWriter;

  /** Connects for the first time. @throws {QumoError} With what can be done about it. */
  static async start({ urls, broadcast, connect, once, tell }: LiveBroadcastOptions) {
    const client = await dialRelay(urls, {
      ...connect,
      groupCacheSize: GROUPS_KEPT,
      onstatus: teller(tell),
      ...(!once && { reconnect: RECONNECT }),
    });
    return new LiveBroadcast(client, broadcast);
  }

  private constructor(client: Client, broadcast: string) {
    this.#client = client;
    this.#writer = new BroadcastWriter(client.publish(broadcast));
    this.failed = client.closed.then(({ reason }) => {
      throw new RelayLost(`The connection to the relay is lost${reason && `: ${reason}`}`);
    });
    this.failed.catch(() => {}); // it may fail before anybody waits, and does when all is over
  }

  /** The version spoken; absent while there is no session. */
  get version(): string | undefined {
    return this.#away ? undefined : this.#client.version;
  }

  /** Subscriptions to all tracks together. */
  get subscriptions(): number {
    return this.#writer.subscriptions;
  }

  write(record: HangRecord): void {
    this.#writer.write(record);
  }

  /** Ends everything in order, and waits until the relay has it. @throws {RelayLost} There is no session to end. */
  async end(): Promise<void> {
    if (this.#away) {
      await this.#client.close();
      throw new RelayLost("Cannot end the broadcast in order: the relay is away");
    }
    this.#writer.end();
    await this.#client.end();
  }

  get #away(): boolean {
    const { state } = this.#client.status;
    return state === "reconnecting" || state === "closed";
  }
}

/** Says in one line each how the connection stands. */
function teller(tell: (line: string) => void): (status: ClientStatus) => void {
  let away = false;
  return (status) => {
    if (status.state === "moving") tell(`The relay asks us to move to ${status.url}`);
    if (status.state === "connected" && status.session > 1) tell("Connected again");
    if (status.state === "reconnecting") {
      const { reason } = status;
      tell(
        away
          ? `${reason.split("\n")[0]}; trying again`
          : `The connection to the relay is lost: ${reason}`,
      );
    }
    away = status.state === "reconnecting";
  };
}
