/**
 * A track written object by object, in subgroups and datagrams.
 *
 * @module
 */
import { GroupWriter } from "../../relay/group/group_writer.ts";
import type { TrackProperties } from "../../relay/reading.ts";
import { provideBridge } from "../../session/convert/bridge.ts";
import { copyOf } from "../../session/convert/convert.ts";
import { datagramTime } from "../../session/convert/datagrams.ts";
import { HeadWriter } from "../../session/convert/head_writer.ts";
import { profileFor } from "../../session/convert/layouts.ts";
import { encodeProperties } from "../../wire/ietf/pairs.ts";
import type { TrackProducer } from "../publish.ts";
import { numberOf, type ObjectStatus, pairsOf, type Property } from "./object.ts";
import { READ_AS } from "./subgroup_reader.ts";

/** What is said of a subgroup when it begins. */
export interface SubgroupOptions {
  /** Its number in the group. Default 0. */
  readonly id?: number;
  /** 0–255, higher goes first. Default: that of the track. */
  readonly priority?: number;
  /** Whether its last object is the last of the group. Default: no. */
  readonly endOfGroup?: boolean;
}

/** One object to write. */
export interface ObjectToWrite {
  /** Its number in the group, above that of the object before. Default: the next one. */
  readonly id?: number;
  /** Text is written as UTF-8. Default: empty. */
  readonly payload?: Uint8Array | string;
  /** Default: none. */
  readonly properties?: readonly Property[];
  /** Default "normal". Others have neither payload nor properties. */
  readonly status?: ObjectStatus;
}

/** An object in a datagram. */
export interface DatagramToWrite extends ObjectToWrite {
  /** 0–255, higher goes first. Default: that of the track. */
  readonly priority?: number;
  /** Whether it is the last object of its group. Default: no. */
  readonly endOfGroup?: boolean;
}

/** Properties of a whole track, for `broadcast.track(name, { properties: trackProperties([…]) })`. */
export function trackProperties(properties: readonly Property[]): TrackProperties {
  return { bytes: encoded(properties), layout: READ_AS };
}

/** Writes a track of `broadcast.track(name)` object by object. Viewers of moq-lite get the same as frames. */
export function objectTrack(track: TrackProducer): ObjectTrackProducer {
  provideBridge(copyOf);
  return new ObjectTrackProducer(track);
}

/** A track being written object by object. The track itself is closed as any other. */
export class ObjectTrackProducer {
  readonly #track: TrackProducer;

  /** @internal */
  constructor(track: TrackProducer) {
    this.#track = track;
  }

  /** Opens a subgroup. Nothing of it is sent before its first object. */
  subgroup(group: number, options: SubgroupOptions = {}): SubgroupProducer {
    return new SubgroupProducer(this.#track, group, options);
  }

  /** Sends an object that may get lost, to subscribers whose version and transport have datagrams. */
  datagram(group: number, object: DatagramToWrite): void {
    const track = this.#track.written;
    if (track === undefined) return;
    const { id = 0, priority, endOfGroup = false, status = "normal" } = object;
    const facts = {
      properties: encoded(object.properties ?? []),
      layout: READ_AS,
      ...{ object: id, priority, endOfGroup, status: numberOf(status) },
    } as const;
    const timestamp = datagramTime(facts, track.info, track.context.clock);
    track.deliverDatagram(group, timestamp, bytesOf(object), true, facts);
  }
}

/** A subgroup being written. Close it in the end. */
export class SubgroupProducer implements Disposable {
  readonly #track: TrackProducer;
  readonly #group: number;
  readonly #options: SubgroupOptions;
  #heads: HeadWriter | undefined;
  #over = false;

  /** @internal */
  constructor(track: TrackProducer, group: number, options: SubgroupOptions) {
    this.#track = track;
    this.#group = group;
    this.#options = options;
  }

  /**
   * Adds an object.
   * @throws {GroupTooLarge}
   * @throws {RangeError} Its id is not above that of the one before; the subgroup was opened before, is too old or is closed;
   *   the track has ended; it has a status and a payload; its properties cannot be written.
   */
  object(object: ObjectToWrite): void {
    const { status = "normal" } = object;
    const payload = bytesOf(object);
    const properties = encoded(object.properties ?? []);
    if (status !== "normal" && payload.length + properties.length > 0) {
      throw new RangeError(`Cannot write an object with status ${status} and a payload`);
    }
    const last = this.#heads?.last ?? -1;
    const { id = last + 1 } = object;
    if (!Number.isSafeInteger(id) || id <= last) {
      throw new RangeError(`Cannot write object ${id} behind object ${last}`);
    }
    const heads = this.#open(id);
    heads.begin(id, properties, payload.length, numberOf(status));
    heads.writer.payload(payload);
    heads.writer.commit();
  }

  /** Ends the subgroup. */
  close(): void {
    this.#over = true;
    this.#heads?.writer.finish();
  }

  /** Cuts the subgroup off. */
  abort(): void {
    this.#over = true;
    this.#heads?.writer.cut();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(firstId: number): HeadWriter {
    if (this.#heads !== undefined && !this.#over) return this.#heads;
    const track = this.#over ? undefined : this.#track.written;
    const { id = 0, priority, endOfGroup = false } = this.#options;
    const subgroup = track?.ring.add(this.#group, track.context.clock.now(), firstId, {
      ...{ id, endOfGroup, layout: READ_AS, properties: true, firstObject: true },
      ...(priority !== undefined && { publisherPriority: priority }),
    });
    if (track === undefined || subgroup === undefined) {
      throw new RangeError(
        `Cannot write subgroup ${id} of group ${this.#group} of track ${this.#track.name}: ` +
          (track === undefined ? "it has ended" : "it was opened before, or is too old"),
      );
    }
    track.deliver(subgroup);
    const { limits, stats } = track.context;
    const writer = new GroupWriter(subgroup, limits, [track, stats]);
    return this.#heads = new HeadWriter(writer, profileFor(READ_AS));
  }
}

function encoded(properties: readonly Property[]): Uint8Array {
  return properties.length === 0
    ? new Uint8Array()
    : encodeProperties(pairsOf(properties), profileFor(READ_AS)).slice();
}

function bytesOf({ payload = new Uint8Array() }: ObjectToWrite): Uint8Array {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
}
