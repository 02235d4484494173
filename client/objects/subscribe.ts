/**
 * A track for its reader: subgroups, one after another, and objects in datagrams.
 *
 * @module
 */
import { Bell, type WaitOptions } from "../../base/bell.ts";
import type { DatagramObject, TrackInfo } from "../../relay/reading.ts";
import { provideBridge } from "../../session/convert/bridge.ts";
import { copyOf } from "../../session/convert/convert.ts";
import { datagramFor } from "../../session/convert/datagrams.ts";
import { profileFor } from "../../session/convert/layouts.ts";
import { decodeProperties } from "../../wire/ietf/pairs.ts";
import type { Peer } from "../peer.ts";
import { type SubscribeOptions, Subscription, type SubscriptionUpdate } from "../subscription.ts";
import { statusOf, type TrackObject } from "./object.ts";
import { READ_AS, SubgroupReader } from "./subgroup_reader.ts";

/** Most subgroups that wait for the reader; older ones are dropped. */
const MAX_WAITING = 1024;

/** Options of a subscription to objects. */
export type ObjectSubscribeOptions = Omit<SubscribeOptions, "ordered">;

/**
 * Subscribes to the objects of a track, whatever protocol its publisher speaks: frames of moq-lite come as objects too.
 * Otherwise it is as {@link Peer.subscribe}: subgroups come in order of arrival.
 * @throws {RangeError} `waitMs` or another number is out of its range, or a name is too long.
 */
export function subscribeObjects(
  peer: Peer,
  path: string,
  track: string,
  options: ObjectSubscribeOptions = {},
): ObjectSubscription {
  provideBridge(copyOf);
  return new ObjectSubscription(peer, path, track, options);
}

/** One subscription. Iterate over it, and close it (or leave the loop) in the end. */
export class ObjectSubscription implements Disposable {
  /** Called for each object in a datagram. */
  ondatagram: ((object: TrackObject) => void) | undefined;
  readonly #inner: Subscription;
  readonly #waiting: SubgroupReader[] = [];
  readonly #bell = new Bell();
  readonly #signal: AbortSignal | undefined;
  #dropped = 0;
  /** How it has ended. */
  #over: { readonly failure?: unknown } | undefined;

  /** @internal */
  constructor(peer: Peer, path: string, track: string, options: ObjectSubscribeOptions) {
    this.#signal = options.signal;
    this.#inner = new Subscription(peer.seek(path, track), options, {
      layout: READ_AS,
      onGroup: (subgroup) => this.#arrived(new SubgroupReader(subgroup)),
      onDatagram: (sequence, timestamp, payload, object) => {
        const shown = datagramFor(READ_AS, timestamp, this.#inner.info, object);
        if (shown !== undefined) this.ondatagram?.(objectOf(sequence, payload, shown));
      },
    });
    this.#inner.group().then(() => this.#ended({}), (failure) => this.#ended({ failure }));
  }

  /** Name of the track. */
  get name(): string {
    return this.#inner.name;
  }

  /** Properties of the track, as far as known. */
  get info(): TrackInfo {
    return this.#inner.info;
  }

  /** Subgroups that were not read in time. */
  get skipped(): number {
    return this.#dropped;
  }

  /** Changes the options from now on. @throws {RangeError} A number is out of its range. */
  update(update: SubscriptionUpdate): void {
    this.#inner.update(update);
  }

  /**
   * The next subgroup, or `undefined` when the track has ended.
   * @throws {TrackFailed} @throws The reason of either signal.
   */
  async subgroup(options: WaitOptions = {}): Promise<SubgroupReader | undefined> {
    for (;;) {
      this.#signal?.throwIfAborted();
      options.signal?.throwIfAborted();
      const next = this.#waiting.shift();
      if (next !== undefined) return next;
      if (this.#over !== undefined) {
        if (this.#over.failure !== undefined) throw this.#over.failure;
        return undefined;
      }
      await this.#bell.wait(options.signal);
    }
  }

  /** Every subgroup, until the track ends. @throws {TrackFailed} */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<SubgroupReader> {
    try {
      for (let next; (next = await this.subgroup()) !== undefined;) yield next;
    } finally {
      this.close();
    }
  }

  /** Leaves the track. */
  close(): void {
    this.#inner.close();
    this.#ended({});
    for (const subgroup of this.#waiting.splice(0)) subgroup.close();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  #arrived(subgroup: SubgroupReader): void {
    this.#waiting.push(subgroup);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift()!.close();
      this.#dropped++;
    }
    this.#bell.ring();
  }

  #ended(how: { readonly failure?: unknown }): void {
    this.#over ??= how;
    this.#bell.ring();
  }
}

function objectOf(group: number, payload: Uint8Array, object: DatagramObject): TrackObject {
  const { properties, priority, status } = object;
  return {
    ...{ group, subgroup: object.object, id: object.object, priority, status: statusOf(status) },
    properties: decodeProperties(properties.slice(), profileFor(READ_AS)),
    payload: payload.slice(),
  };
}
