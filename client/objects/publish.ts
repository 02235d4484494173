/**
 * A track written object by object, in subgroups and datagrams.
 *
 * @module
 */
import { GroupWriter } from "../../relay/group/group_writer.ts";
import type { DatagramObject, TrackProperties } from "../../relay/reading.ts";
import { provideBridge } from "../../session/convert/bridge.ts";
import { copyOf } from "../../session/convert/convert.ts";
import { datagramTime } from "../../session/convert/datagrams.ts";
import { HeadWriter } from "../../session/convert/head_writer.ts";
import { profileFor } from "../../session/convert/layouts.ts";
import { MAX_TRACK_PROPERTY_BYTES } from "../../wire/ietf/message/parts.ts";
import { encodeProperties } from "../../wire/ietf/pairs.ts";
import { MAX_OBJECT_PROPERTY_BYTES } from "../../wire/ietf/data/object_head.ts";
import { givenNumber } from "../../base/given_number.ts";
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

/**
 * Properties of a whole track, for `broadcast.track(name, { properties: trackProperties([…]) })`.
 * @throws {RangeError} They cannot be written, or are above 16,384 bytes.
 */
export function trackProperties(properties: readonly Property[]): TrackProperties {
  return { bytes: encoded(properties, MAX_TRACK_PROPERTY_BYTES), layout: READ_AS };
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

  /**
   * Opens a subgroup. Nothing of it is sent before its first object.
   * @throws {RangeError} A number is not whole, or out of its range.
   */
  subgroup(group: number, options: SubgroupOptions = {}): SubgroupProducer {
    givenNumber("the number of a group", group);
    givenNumber("the number of a subgroup", options.id ?? 0);
    checkPriority(options.priority);
    return new SubgroupProducer(this.#track, group, options);
  }

  /**
   * Sends an object that may get lost, to subscribers whose version and transport have datagrams.
   * @throws {RangeError} A number is not whole, or out of its range; it has a status, and a payload or properties; its
   *   properties cannot be written, or are above 16,384 bytes.
   */
  datagram(group: number, object: DatagramToWrite): void {
    givenNumber("the number of a group", group);
    const { id = 0, priority, endOfGroup = false } = object;
    givenNumber("the number of an object", id);
    checkPriority(priority);
    const { payload, properties, status } = partsOf(object);
    const track = this.#track.written;
    if (track === undefined) return;
    const facts: DatagramObject = {
      layout: READ_AS,
      ...{ properties, object: id, priority, endOfGroup, status },
    };
    const timestamp = datagramTime(facts, track.info, track.context.clock);
    track.deliverDatagram(group, timestamp, payload, true, facts);
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
   *   the track has ended; it has a status, and a payload or properties; its properties cannot be written, or are above
   *   16,384 bytes.
   */
  object(object: ObjectToWrite): void {
    const { payload, properties, status } = partsOf(object);
    const last = this.#heads?.last ?? -1;
    const { id = last + 1 } = object;
    if (!Number.isSafeInteger(id) || id <= last) {
      throw new RangeError(`Cannot write object ${id} behind object ${last}`);
    }
    const heads = this.#open(id);
    heads.begin(id, properties, payload.length, status);
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

/** What an object consists of on the wire. @throws {RangeError} It cannot be written. */
function partsOf(object: ObjectToWrite) {
  const { status = "normal" } = object;
  const payload = bytesOf(object);
  const properties = encoded(object.properties ?? []);
  if (status !== "normal" && payload.length + properties.length > 0) {
    throw new RangeError(
      `Cannot write an object with status ${status}: it has neither payload nor properties`,
    );
  }
  return { payload, properties, status: numberOf(status) };
}

/** @throws {RangeError} */
function checkPriority(priority: number | undefined): void {
  if (priority !== undefined) givenNumber("a priority", priority, 255);
}

/** @throws {RangeError} */
function encoded(properties: readonly Property[], most = MAX_OBJECT_PROPERTY_BYTES): Uint8Array {
  if (properties.length === 0) return new Uint8Array();
  const bytes = encodeProperties(pairsOf(properties), profileFor(READ_AS)).slice();
  if (bytes.length <= most) return bytes;
  throw new RangeError(`Cannot write properties of ${bytes.length} bytes: at most ${most}`);
}

function bytesOf({ payload = new Uint8Array() }: ObjectToWrite): Uint8Array {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
}
