/**
 * Which track the aliases of a session stand for. Objects may come before the message that names their alias: a few streams
 * and datagrams wait for it for a moment. Streams that wait are not read, so the transport's window bounds their bytes.
 * Spec: draft-ietf-moq-transport-18, "Track Alias".
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import { sleep } from "../../../base/sleep.ts";
import type { ReceiveStream } from "../../../transport/connection.ts";
import type { ObjectDatagram } from "../../../wire/ietf/data/datagram.ts";
import type { SubgroupHeader } from "../../../wire/ietf/data/stream_head.ts";
import type { WideInteger } from "../../../wire/ietf/integers.ts";
import type { StreamReader } from "../../stream_reader.ts";

/** How long objects wait for the message that names their alias. It was sent before them, or a moment later. */
export const HOLD_MS = 1000;
/** How long an alias or a name may be taken that its track is about to let go of. */
export const AGAIN_MS = 100;
/** Most streams and datagrams of one session that wait. */
export const MAX_HELD_STREAMS = 32;
export const MAX_HELD_DATAGRAMS = 32;

/** Takes the objects of an alias. */
export interface AliasedTrack {
  /** It takes no more. */
  readonly over: boolean;
  /** @throws {ProtocolViolation} */
  subgroup(stream: ReceiveStream, reader: StreamReader, header: SubgroupHeader): Promise<void>;
  datagram(datagram: ObjectDatagram): void;
  /** Its alias is wanted for another track. @returns Whether it has let go of it. */
  yield(): boolean;
}

/** What waits for one alias. */
interface Held {
  readonly streams: ((track: AliasedTrack | undefined) => void)[];
  readonly datagrams: ObjectDatagram[];
  readonly cancel: () => void;
}

export class Aliases {
  readonly #clock: Clock;
  readonly #tracks = new Map<WideInteger, AliasedTrack>();
  readonly #held = new Map<WideInteger, Held>();
  #streams = 0;
  #datagrams = 0;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Streams and datagrams that wait now. */
  get held(): { readonly streams: number; readonly datagrams: number } {
    return { streams: this.#streams, datagrams: this.#datagrams };
  }

  /**
   * Names an alias. What waits for it goes on. The end of the track that had it before may be read a moment later.
   * @returns false when it stands for another track.
   */
  async claim(alias: WideInteger, track: AliasedTrack): Promise<boolean> {
    if (this.#add(alias, track)) return true;
    await sleep(AGAIN_MS, undefined, this.#clock);
    return this.#closed || this.#add(alias, track);
  }

  #add(alias: WideInteger, track: AliasedTrack): boolean {
    if (track.over) return true;
    if (this.#tracks.get(alias)?.yield() === false) return false;
    this.#tracks.set(alias, track);
    this.#release(alias, track);
    return true;
  }

  /** The track is over: its alias may stand for another one. Harmless when it does not stand for it. */
  delete(alias: WideInteger, track: AliasedTrack): void {
    if (this.#tracks.get(alias) === track) this.#tracks.delete(alias);
  }

  /** The track of a stream. Waits a moment for an alias that is not known. @returns Nothing when it stays unknown. */
  async track(alias: WideInteger): Promise<AliasedTrack | undefined> {
    const known = this.#tracks.get(alias);
    if (known !== undefined || this.#closed || this.#streams === MAX_HELD_STREAMS) return known;
    this.#streams++;
    return await new Promise((resolve) => this.#hold(alias).streams.push(resolve));
  }

  /** Passes a datagram on. It waits a moment for an alias that is not known. */
  datagram(datagram: ObjectDatagram): void {
    const known = this.#tracks.get(datagram.alias);
    if (known !== undefined) return known.datagram(datagram);
    if (this.#closed || this.#datagrams === MAX_HELD_DATAGRAMS) return;
    this.#datagrams++;
    this.#hold(datagram.alias).datagrams.push(datagram);
  }

  /** The session is over: nothing waits any more. */
  close(): void {
    this.#closed = true;
    for (const alias of [...this.#held.keys()]) this.#release(alias, undefined);
  }

  #hold(alias: WideInteger): Held {
    let held = this.#held.get(alias);
    if (held === undefined) {
      const cancel = this.#clock.after(HOLD_MS, () => this.#release(alias, undefined));
      this.#held.set(alias, held = { streams: [], datagrams: [], cancel });
    }
    return held;
  }

  #release(alias: WideInteger, track: AliasedTrack | undefined): void {
    const held = this.#held.get(alias);
    if (held === undefined) return;
    this.#held.delete(alias);
    held.cancel();
    this.#streams -= held.streams.length;
    this.#datagrams -= held.datagrams.length;
    for (const resolve of held.streams) resolve(track);
    for (const datagram of held.datagrams) track?.datagram(datagram);
  }
}
