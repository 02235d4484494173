/**
 * The listener for RTMP publishers. One publishes at a time, and strangers cost little.
 *
 * @module
 */
import { reasonOf } from "../../../base/errors.ts";
import { type Address, formatAddress, networkOf } from "../../../config/address.ts";
import { sleep } from "../../../base/sleep.ts";
import { ListenFailed } from "../listen.ts";
import { RtmpConnection } from "./connection.ts";
import { RtmpViolation } from "./errors.ts";
import { refusalOf, type Wanted } from "./stream_key.ts";

/** Most connections that do not publish yet: of one address, and of all. */
export const MAX_STRANGERS_PER_ADDRESS = 8;
export const MAX_STRANGERS = 64;
/** A connection with a wrong key holds its place for so long, in milliseconds, so that nobody tries many keys. */
const WRONG_KEY_MS = 1000;

export interface RtmpDoorOptions {
  readonly wanted: Wanted;
  /** Longest time from a connection to its `publish`, in milliseconds. */
  readonly deadlineMs: number;
  /** Called when a client was turned away. @param reason Holds no text of the client. */
  readonly onrefused: (reason: string) => void;
}

/** A client that publishes. */
export interface RtmpPublication {
  /** Its media as FLV. Can be read once. @throws {RtmpViolation} */
  media(): AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Ends it: the next one may publish. */
  end(): void;
}

/** Open until it is disposed of. */
export class RtmpDoor implements Disposable {
  readonly #options: RtmpDoorOptions;
  readonly #listener: Deno.Listener;
  /** Connections that do not publish yet, oldest first, with the address that they count for. */
  readonly #strangers = new Map<RtmpConnection, string>();
  readonly #places = new Map<string, number>();
  readonly #over = new AbortController();
  #publisher: RtmpConnection | undefined;
  /** Fulfilled while a client publishes. */
  #come: PromiseWithResolvers<RtmpPublication | undefined> = Promise.withResolvers();

  /** @throws {ListenFailed} The address cannot be used. */
  static open(at: Address, options: RtmpDoorOptions): RtmpDoor {
    try {
      return new RtmpDoor(Deno.listen({ hostname: at.hostname, port: at.port }), options);
    } catch (cause) {
      const where = formatAddress(at);
      throw new ListenFailed(`Cannot listen on ${where}: ${reasonOf(cause)}`, { cause });
    }
  }

  private constructor(listener: Deno.Listener, options: RtmpDoorOptions) {
    this.#listener = listener;
    this.#options = options;
    void this.#accept();
  }

  /** Where it listens. */
  get address(): Deno.NetAddr {
    return this.#listener.addr as Deno.NetAddr;
  }

  /** Waits for a publication: the same one until its `end`. `undefined` once the door is disposed of. */
  next(): Promise<RtmpPublication | undefined> {
    return this.#come.promise;
  }

  [Symbol.dispose](): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#listener.close();
    for (const stranger of this.#strangers.keys()) stranger.close();
    this.#publisher?.close();
    this.#come.resolve(undefined);
  }

  async #accept(): Promise<void> {
    while (!this.#over.signal.aborted) {
      try {
        const conn = await this.#listener.accept();
        void this.#meet(conn);
      } catch { // The door is closed, the client left at once, or no descriptor is free for now.
        await sleep(100, this.#over.signal);
      }
    }
  }

  async #meet(conn: Deno.Conn): Promise<void> {
    const who = networkOf((conn.remoteAddr as Deno.NetAddr).hostname);
    const taken = this.#places.get(who) ?? 0;
    if (taken >= MAX_STRANGERS_PER_ADDRESS) return conn.close();
    // The connection that has taken longest to say what it wants makes room.
    if (this.#strangers.size >= MAX_STRANGERS) {
      const oldest = this.#strangers.keys().next().value!;
      this.#strangers.delete(oldest);
      oldest.close();
    }
    this.#places.set(who, taken + 1);
    const connection: RtmpConnection = new RtmpConnection(conn, (asked) => {
      const refusal = refusalOf(asked, this.#options.wanted);
      if (refusal !== undefined) return refusal;
      if (this.#publisher !== undefined) return "somebody else publishes";
      this.#publisher = connection;
      return undefined;
    });
    this.#strangers.set(connection, who);
    const late = setTimeout(() => connection.close(), this.#options.deadlineMs);
    let slow = false;
    try {
      const end = await connection.open();
      if (end === "publishing") return this.#admit(connection);
      if (end !== "gone") {
        slow = true;
        this.#options.onrefused(end.refused);
      }
    } catch (error) {
      if (this.#publisher === connection) this.#publisher = undefined;
      if (error instanceof RtmpViolation) this.#options.onrefused(reasonOf(error));
    } finally {
      clearTimeout(late);
      this.#strangers.delete(connection);
      if (this.#publisher !== connection) connection.close();
      if (slow) await sleep(WRONG_KEY_MS, this.#over.signal);
      this.#leave(who);
    }
  }

  #admit(connection: RtmpConnection): void {
    this.#come.resolve({
      media: () => connection.media(),
      end: () => {
        connection.close();
        if (this.#publisher !== connection) return;
        this.#publisher = undefined;
        this.#come = Promise.withResolvers();
      },
    });
  }

  #leave(who: string): void {
    const left = this.#places.get(who)! - 1;
    if (left === 0) this.#places.delete(who);
    else this.#places.set(who, left);
  }
}
