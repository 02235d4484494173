/**
 * Streams of a scripted peer of moq-transport: what it sends object by object, and what it has received as plain values.
 *
 * @module
 */
import { concat } from "../../../base/bytes.ts";
import type { ReceiveStream, SendStream } from "../../../transport/connection.ts";
import { StreamReset } from "../../../transport/errors.ts";
import type { GroupOrder } from "../../../wire/ietf/fields.ts";
import {
  type FetchedObject,
  FetchHeads,
  FetchWriter,
} from "../../../wire/ietf/data/fetch_objects.ts";
import type { Missing } from "../../../wire/ietf/data/fetch_objects.ts";
import {
  type HeadParser,
  ObjectHeads,
  objectHeadSize,
  putObjectHead,
  STATUS,
} from "../../../wire/ietf/data/object_head.ts";
import { readStreamHead, type SubgroupHeader } from "../../../wire/ietf/data/stream_head.ts";
import { decodeProperties } from "../../../wire/ietf/pairs.ts";
import type { Profile } from "../../../wire/ietf/profile.ts";

const EMPTY: Uint8Array = new Uint8Array();
const utf8 = new TextEncoder();
const text = new TextDecoder();

/** How long a test waits for what has to come. */
const IN_TIME_MS = 5_000;

/** What has to happen soon. @throws {Error} It has not. */
export async function soon<T>(promise: Promise<T>, what: string, ms = IN_TIME_MS): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`waited in vain for ${what}`)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** What has come and nobody has taken. What waits at its end can still be taken. */
export class Queue<T> {
  readonly #items: T[] = [];
  #ended = false;
  #changed = Promise.withResolvers<void>();

  get length(): number {
    return this.#items.length;
  }
  push(item: T): void {
    this.#items.push(item);
    this.#tell();
  }
  end(): void {
    this.#ended = true;
    this.#tell();
  }
  /** The next item; `undefined` behind the last one. @throws {Error} It does not come in time. */
  async next(what: string): Promise<T | undefined> {
    while (this.#items.length === 0 && !this.#ended) await soon(this.#changed.promise, what);
    return this.#items.shift();
  }
  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Bytes as they are, or text in UTF-8. */
export function raw(value: Uint8Array | string): Uint8Array {
  return typeof value === "string" ? utf8.encode(value) : value;
}

/** An object as it came on a stream. */
export interface SeenObject {
  readonly id: number;
  /** As they are written. */
  readonly properties: Uint8Array;
  readonly status: number;
  readonly payload: Uint8Array;
}
/** An object on a fetch stream, or the end of a range of which nothing comes. */
export interface SeenFetched extends SeenObject {
  readonly group: number;
  readonly subgroup: number;
  readonly priority: number;
  readonly datagram: boolean;
  readonly missing: Missing | undefined;
}

/** @param profile Takes the properties apart; without it they are shown as bytes. */
function show({ id, properties, status, payload }: SeenObject, profile?: Profile): string {
  const shown = status === STATUS.normal ? `=${text.decode(payload)}` : `!${status}`;
  const said = profile === undefined
    ? `{${properties.toHex()}}`
    : showProperties(properties, profile);
  return `${id}${properties.length === 0 ? "" : said}${shown}`;
}

/** Properties, however the draft writes them: "{16=5 13=0x636667}", or nothing. */
export function showProperties(properties: Uint8Array, profile: Profile): string {
  if (properties.length === 0) return "";
  const pairs = decodeProperties(properties, profile).map(({ type, value }) =>
    `${type}=${value instanceof Uint8Array ? `0x${value.toHex()}` : value}`
  );
  return `{${pairs.join(" ")}}`;
}

/** A data stream of the other side. It is read as it comes. */
export abstract class DataStream<T extends SeenObject = SeenObject> {
  /** Every object that is whole. */
  readonly objects: T[] = [];
  /** "fin", "reset 2", "lost", or what is wrong with its bytes; absent while it is open. */
  end: string | undefined;
  /** All bytes of the stream, as they came. */
  bytes: Uint8Array = EMPTY;
  readonly #over = Promise.withResolvers<void>();
  #changed = Promise.withResolvers<void>();
  #at: number;

  constructor(
    readonly receive: ReceiveStream,
    readonly profile: Profile,
    readonly heads: HeadParser,
    readonly headBytes: number,
  ) {
    this.#at = headBytes;
  }

  /** Waits for the end. @throws {Error} It does not come in time. */
  async done(): Promise<this> {
    await soon(this.#over.promise, `the end of ${this}`);
    return this;
  }
  /** Waits until so many objects are here. @throws {Error} */
  async until(count: number): Promise<this> {
    while (this.objects.length < count) {
      if (this.end !== undefined) throw new Error(`only ${this.objects.length} objects: ${this}`);
      await soon(this.#changed.promise, `${count} objects, got ${this}`);
    }
    return this;
  }
  /** Bytes behind the last whole object. */
  get rest(): number {
    return this.bytes.length - this.#at;
  }
  /** What the objects say, each in one word: "0=hello", "1{0d03636667}=hello" with properties, "2!3" with a status. */
  get words(): string[] {
    return this.objects.map((one) => show(one));
  }
  /** The same with the properties as pairs, which is the same in all drafts: "1{13=0x636667 16=5}=hello". */
  get decoded(): string[] {
    return this.objects.map((one) => show(one, this.profile));
  }
  stop(code = 1): void {
    this.receive.stop(code);
  }

  protected abstract seen(properties: Uint8Array, payload: Uint8Array): T;

  /** Takes in what came. @throws {ProtocolViolation} */
  take(chunk: Uint8Array): void {
    this.bytes = concat([this.bytes, chunk]);
    for (;;) {
      const { bytes, heads } = this;
      // A head that is not whole changes nothing; one whose payload is not whole would, so it is kept.
      if (this.#payloadAt === undefined) {
        const behind = heads.next(bytes, this.#at, bytes.length);
        if (behind < 0 || behind > bytes.length) break;
        this.#payloadAt = behind;
        this.#properties = bytes.slice(heads.propertiesAt, heads.propertiesEnd);
      }
      const end = this.#payloadAt + heads.payloadLength;
      if (end > bytes.length) break;
      this.objects.push(this.seen(this.#properties, bytes.slice(this.#payloadAt, end)));
      this.#at = end;
      this.#payloadAt = undefined;
    }
    this.#tell();
  }
  #payloadAt: number | undefined;
  #properties = EMPTY;

  over(end: string): void {
    this.end ??= end;
    this.#over.resolve();
    this.#tell();
  }
  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** A subgroup that came. */
export class SeenSubgroup extends DataStream {
  declare readonly heads: ObjectHeads;

  constructor(
    receive: ReceiveStream,
    readonly header: SubgroupHeader,
    profile: Profile,
    headBytes: number,
  ) {
    super(receive, profile, new ObjectHeads(profile, header.properties), headBytes);
  }
  /** Its id, which may be that of the first object. */
  get subgroup(): number | undefined {
    return this.header.subgroup ?? this.objects[0]?.id;
  }
  /** The stream in one line: "7/3/0 p128 [0=abcd 1=ef] fin". */
  override toString(): string {
    const { alias, group, priority } = this.header;
    const shown = priority === undefined ? "" : ` p${priority}`;
    return `${alias}/${group}/${this.subgroup}${shown} [${this.words.join(" ")}] ${
      this.end ?? "open"
    }`;
  }
  protected seen(properties: Uint8Array, payload: Uint8Array): SeenObject {
    const { id, status } = this.heads;
    return { id, properties, status, payload };
  }
}

/** The answer to a fetch that came. */
export class SeenFetch extends DataStream<SeenFetched> {
  declare readonly heads: FetchHeads;

  constructor(
    receive: ReceiveStream,
    readonly requestId: number,
    profile: Profile,
    headBytes: number,
    order: GroupOrder = "ascending",
  ) {
    super(receive, profile, new FetchHeads(profile, order), headBytes);
  }
  /** What came, each in one word: "3/0/1=hello" is group, subgroup, object; "unknown..3/4" a range without objects. */
  override get words(): string[] {
    return this.objects.map((one) =>
      one.missing === undefined
        ? `${one.group}/${one.datagram ? "d" : one.subgroup}/${show(one)}`
        : `${one.missing}..${one.group}/${one.id}`
    );
  }
  override toString(): string {
    return `fetch ${this.requestId} [${this.words.join(" ")}] ${this.end ?? "open"}`;
  }
  protected seen(properties: Uint8Array, payload: Uint8Array): SeenFetched {
    const { object, status, group, subgroup, priority, datagram, missing } = this.heads;
    return {
      id: object,
      properties,
      status,
      payload,
      group,
      subgroup,
      priority,
      datagram,
      missing,
    };
  }
}

/** What {@link readDataStream} has found. */
export type Found = SeenSubgroup | SeenFetch | "control" | "padding";

/**
 * Reads the head of a unidirectional stream, hands it over, and reads the stream to its end.
 *
 * @param found Gets the stream as soon as its head is known, with the bytes read so far where it is none of objects.
 * @param order In which order the groups of a fetch come.
 */
export async function readDataStream(
  receive: ReceiveStream,
  profile: Profile,
  found: (stream: Found, bytes: Uint8Array) => void,
  order: (requestId: number) => GroupOrder,
): Promise<void> {
  let bytes: Uint8Array = EMPTY;
  let stream: DataStream | undefined;
  try {
    for (;;) {
      const chunk = await receive.read();
      if (chunk === undefined) return stream?.over("fin");
      if (stream !== undefined) {
        stream.take(chunk);
        continue;
      }
      bytes = concat([bytes, chunk]);
      const head = readStreamHead(bytes, profile);
      if (head === undefined) continue;
      if (head.kind === "control" || head.kind === "padding") return found(head.kind, bytes);
      const seen = head.kind === "subgroup"
        ? new SeenSubgroup(receive, head.header, profile, head.length)
        : new SeenFetch(receive, head.requestId, profile, head.length, order(head.requestId));
      stream = seen;
      found(seen, bytes);
      stream.take(bytes);
    }
  } catch (error) {
    stream?.over(endOf(error));
  }
}

/** How a stream has ended that did not end in order. */
export function endOf(error: unknown): string {
  if (error instanceof StreamReset) return `reset ${error.peerCode}`;
  return (error as { code?: string }).code === "QUMO_CONNECTION_CLOSED" ? "lost" : String(error);
}

/** An object to be sent. */
export interface ScriptedObject {
  /** Default: behind the one before. */
  readonly id?: number;
  readonly payload?: Uint8Array | string;
  /** As they are written; only where the stream's header says that objects have properties. */
  readonly properties?: Uint8Array;
  readonly status?: number;
}

/** A subgroup's stream that the peer sends. */
export class ScriptedSubgroup {
  #last = -1;

  constructor(
    readonly send: SendStream,
    readonly header: SubgroupHeader,
    readonly profile: Profile,
  ) {}

  /** One object, whole. Text stands for a payload. */
  object(object: ScriptedObject | string): this {
    return this.raw(this.bytesOf(object));
  }
  objects(...objects: readonly (ScriptedObject | string)[]): this {
    for (const one of objects) this.object(one);
    return this;
  }
  /** The bytes of the next object, to be sent in parts. */
  bytesOf(object: ScriptedObject | string): Uint8Array {
    const { id = this.#last + 1, payload = EMPTY, properties = EMPTY, status = STATUS.normal } =
      typeof object === "string" ? { payload: object } : object;
    const delta = id - this.#last - 1;
    this.#last = id;
    const { varints } = this.profile;
    const has = this.header.properties ? properties : undefined;
    const body = raw(payload);
    const head = new Uint8Array(objectHeadSize(varints, delta, has, body.length, status));
    putObjectHead(head, 0, varints, delta, has, body.length, status);
    return concat([head, body]);
  }
  raw(bytes: Uint8Array): this {
    this.send.write(bytes);
    return this;
  }
  fin(): this {
    this.send.finish();
    return this;
  }
  reset(code = 0): this {
    this.send.reset(code);
    return this;
  }
}

/** A fetch's stream that the peer sends. */
export class ScriptedFetch {
  readonly #writer: FetchWriter;

  constructor(readonly send: SendStream, profile: Profile, order?: GroupOrder) {
    this.#writer = new FetchWriter(profile, order);
  }
  object(
    object: Pick<FetchedObject, "group" | "object"> & Partial<FetchedObject>,
    payload: Uint8Array | string,
  ): this {
    const body = raw(payload);
    const defaults = { subgroup: 0, priority: 128, datagram: false, properties: EMPTY, status: 0 };
    this.send.write(concat([this.#writer.object({ ...defaults, ...object }, body.length), body]));
    return this;
  }
  missing(why: Missing, group: number, object: number): this {
    this.send.write(this.#writer.missing(why, group, object));
    return this;
  }
  fin(): this {
    this.send.finish();
    return this;
  }
  reset(code = 0): this {
    this.send.reset(code);
    return this;
  }
}
