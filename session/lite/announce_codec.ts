/**
 * Reads and writes the messages of one announce stream. Their three dialects become the same few events.
 *
 * @module
 */
import type { HopId } from "../../relay/route.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import {
  ANNOUNCE_STATUS,
  ANNOUNCE_TYPE,
  AnnounceEnd,
  AnnounceInit,
  AnnounceOk,
  AnnounceStart,
  AnnounceUpdate,
  MAX_INIT_BYTES,
  MAX_INIT_PATHS,
} from "../../wire/lite/announce.ts";
import type { Dialect } from "../../wire/lite/dialect.ts";
import { MAX_PATH_TEXT_BYTES, pathOf } from "../../wire/lite/fields.ts";
import { type Decoded, framed } from "../../wire/message.ts";
import { isPath, MAX_HOPS } from "../../wire/path.ts";
import type { StreamReader } from "../stream_reader.ts";

/** One event of an announce stream. */
export type AnnounceNews =
  | {
    readonly kind: "active";
    readonly suffix: string;
    /** As on the wire: without the hop of ANNOUNCE_OK. */
    readonly hops: readonly HopId[];
    readonly warm: number;
    readonly cold: number;
    /** It comes from ANNOUNCE_INIT, which may name a path more than once. */
    readonly initial?: true;
  }
  | { readonly kind: "ended"; readonly suffix: string };

/** Costs of a route from a version without costs. */
const UNPRICED = { warm: 0, cold: Infinity } as const;

/** An ANNOUNCE_START that is not kept: the peer has reached its limit of announcements. */
export interface Turned {
  readonly kind: "turned";
}

/** Most paths and bytes that we put into one ANNOUNCE_INIT. */
const MAX_INIT_SENT = 16_384;
const MAX_INIT_SENT_BYTES = 1 << 20;

/** Reads the peer's announcements. It remembers no more of them than a session may announce. */
export class AnnounceDecoder {
  /** Suffixes of live announcements by id (06). */
  readonly #ids = new Map<number, string>();
  readonly #live = new Set<string>();
  #nextId = 0;
  /** Live announcements whose suffix was not kept. */
  #forgotten = 0;
  /** Entries of ANNOUNCE_INIT that have not come yet, and where on the stream the last one ends. */
  #initial = 0;
  #initialEnd = 0;

  /** @param mayKeep Whether one more suffix may be kept, with so many kept already. */
  constructor(
    readonly reader: StreamReader,
    readonly dialect: Dialect,
    readonly mayKeep: (kept: number) => boolean = () => true,
  ) {}

  /** Suffixes that are remembered. */
  get kept(): number {
    return this.#ids.size;
  }

  /** Reads the head of the stream. @returns The peer's hop id, 0 if it does not tell; `undefined` if the stream has ended. */
  async begin(): Promise<HopId | undefined> {
    if (this.dialect.announceFirst === "nothing") return 0n;
    if (this.dialect.announceFirst === "ok") {
      return (await this.reader.message(AnnounceOk))?.hop;
    }
    const length = await this.reader.varint();
    if (length === undefined) return undefined;
    if (length > MAX_INIT_BYTES) {
      throw new ProtocolViolation("ANNOUNCE_INIT", `${length} bytes, at most ${MAX_INIT_BYTES}`);
    }
    this.#initialEnd = this.reader.taken + length;
    this.#initial = await this.reader.varint() ?? 0;
    if (this.#initial > MAX_INIT_PATHS) {
      throw new ProtocolViolation(
        "ANNOUNCE_INIT",
        `${this.#initial} items, at most ${MAX_INIT_PATHS} allowed`,
      );
    }
    this.#checkInitial();
    return 0n;
  }

  /** The next event, or `undefined` at the end of the stream. @throws {ProtocolViolation} */
  async next(): Promise<AnnounceNews | Turned | undefined> {
    if (this.#initial > 0) return await this.#entry();
    return this.dialect.announce === "typed" ? await this.#typed() : await this.#status();
  }

  /** The next entry of ANNOUNCE_INIT. The message is never held as a whole. */
  async #entry(): Promise<AnnounceNews> {
    const where = "ANNOUNCE_INIT";
    const length = await this.reader.varint();
    if (length === undefined) throw new ProtocolViolation(where, "it ended before its last item");
    if (length > MAX_PATH_TEXT_BYTES) {
      throw new ProtocolViolation(where, `a path of ${length} bytes`);
    }
    const suffix = pathOf(await this.reader.bytes(length, where), where);
    this.#initial--;
    this.#checkInitial();
    return { kind: "active", suffix, hops: [], ...UNPRICED, initial: true };
  }

  #checkInitial(): void {
    const left = this.#initialEnd - this.reader.taken;
    if (left < this.#initial) {
      throw new ProtocolViolation("ANNOUNCE_INIT", `${this.#initial} items in ${left} bytes`);
    }
    if (this.#initial === 0 && left > 0) {
      throw new ProtocolViolation("ANNOUNCE_INIT", `${left} bytes left after the last item`);
    }
    if (this.#initial === 0) this.reader.whole();
  }

  async #status(): Promise<AnnounceNews | undefined> {
    if (this.dialect.announce === "typed") return undefined;
    const message = await this.reader.message(this.dialect.announce);
    if (message === undefined) return undefined;
    const { status, suffix, hops } = message;
    if (status === ANNOUNCE_STATUS.ended) return { kind: "ended", suffix };
    if (status > ANNOUNCE_STATUS.restart) {
      throw new ProtocolViolation("ANNOUNCE", `unknown status ${status}`);
    }
    return { kind: "active", suffix, hops, ...UNPRICED };
  }

  async #typed(): Promise<AnnounceNews | Turned | undefined> {
    for (;;) {
      const type = await this.reader.varint();
      if (type === undefined) return undefined;
      const known = type <= ANNOUNCE_TYPE.update ? AnnounceStart.maxBytes : undefined;
      const body = await this.reader.body("ANNOUNCE", known);
      if (body === undefined) throw new ProtocolViolation("ANNOUNCE", "a type without a body");
      if (type === ANNOUNCE_TYPE.start) return this.#start(AnnounceStart.decode(body));
      if (type === ANNOUNCE_TYPE.end) {
        const { id } = AnnounceEnd.decode(body);
        const suffix = this.#suffixOf(id);
        if (suffix === undefined) {
          this.#forgotten--;
          continue;
        }
        this.#ids.delete(id);
        this.#live.delete(suffix);
        return { kind: "ended", suffix };
      }
      if (type === ANNOUNCE_TYPE.update) {
        const { id, hops, warm, cold } = AnnounceUpdate.decode(body);
        const suffix = this.#suffixOf(id);
        if (suffix !== undefined) return { kind: "active", suffix, hops, warm, cold };
      }
      // Unknown types are skipped and take no id.
    }
  }

  #start(start: Decoded<typeof AnnounceStart>): AnnounceNews | Turned {
    if (this.#live.has(start.suffix)) {
      throw new ProtocolViolation("ANNOUNCE_START", `"${start.suffix}" is announced already`);
    }
    const id = this.#nextId++;
    if (!this.mayKeep(this.#ids.size)) {
      this.#forgotten++;
      return { kind: "turned" };
    }
    this.#ids.set(id, start.suffix);
    this.#live.add(start.suffix);
    return { kind: "active", ...start };
  }

  /** @returns `undefined` for a suffix that was not kept. @throws {ProtocolViolation} The id is not live. */
  #suffixOf(id: number): string | undefined {
    const suffix = this.#ids.get(id);
    if (suffix === undefined && (id >= this.#nextId || this.#forgotten === 0)) {
      throw new ProtocolViolation("ANNOUNCE", `id ${id} is not live`);
    }
    return suffix;
  }
}

/** What we announce of one broadcast, in the shape of the origin's events. */
export interface Telling {
  readonly suffix: string;
  /** Absent when the broadcast is gone. */
  readonly route:
    | { readonly hops: readonly HopId[]; readonly warm: number; readonly cold: number }
    | undefined;
}

/** Writes our announcements. Those with a chain or a path that is too long for a message are left out. */
export class AnnounceEncoder {
  /** Ids of live announcements by suffix. Only 06 sends the ids. */
  readonly #live = new Map<string, number>();
  #nextId = 0;

  constructor(readonly dialect: Dialect, readonly hop: HopId) {}

  /** The head of the stream, if the version has one, and the announcements that are live now. */
  begin(current: readonly Telling[]): Uint8Array[] {
    const told = current.map((one) => this.encode(one)).filter((bytes) => bytes !== undefined);
    switch (this.dialect.announceFirst) {
      case "init":
        return this.#init(told);
      case "ok":
        return [framed(AnnounceOk.encode({ hop: this.hop, count: told.length })), ...told];
      case "nothing":
        return told;
    }
  }

  /** As many paths in one ANNOUNCE_INIT as every peer takes. The others follow in messages of their own. */
  #init(told: readonly Uint8Array[]): Uint8Array[] {
    const suffixes: string[] = [];
    let bytes = 0;
    for (const suffix of this.#live.keys()) {
      bytes += told[suffixes.length]!.length; // of its own message, which is longer than its entry
      if (suffixes.length === MAX_INIT_SENT || bytes > MAX_INIT_SENT_BYTES) break;
      suffixes.push(suffix);
    }
    return [framed(AnnounceInit.encode({ suffixes })), ...told.slice(suffixes.length)];
  }

  /** The message for one event; `undefined` if there is nothing to send, or no such message in this version. */
  encode({ suffix, route }: Telling): Uint8Array | undefined {
    const chain = route && this.#chain(route.hops);
    if (route === undefined || chain === undefined || !this.#fits(suffix, chain)) {
      return this.#ended(suffix);
    }
    const id = this.#live.get(suffix);
    if (id !== undefined && !this.dialect.announceUpdates) return undefined;
    if (id === undefined) this.#live.set(suffix, this.#nextId++);
    const { warm, cold } = route;
    if (this.dialect.announce !== "typed") {
      const { active } = ANNOUNCE_STATUS;
      return framed(this.dialect.announce.encode({ status: active, suffix, hops: chain }));
    }
    return id === undefined
      ? framed(AnnounceStart.encode({ suffix, hops: chain, warm, cold }), ANNOUNCE_TYPE.start)
      : framed(AnnounceUpdate.encode({ id, hops: chain, warm, cold }), ANNOUNCE_TYPE.update);
  }

  #ended(suffix: string): Uint8Array | undefined {
    const id = this.#live.get(suffix);
    if (id === undefined) return undefined;
    this.#live.delete(suffix);
    if (this.dialect.announce === "typed") {
      return framed(AnnounceEnd.encode({ id }), ANNOUNCE_TYPE.end);
    }
    const { ended } = ANNOUNCE_STATUS;
    return framed(this.dialect.announce.encode({ status: ended, suffix, hops: [] }));
  }

  #chain(hops: readonly HopId[]): readonly HopId[] {
    return this.dialect.hopAppendedBy === "receiver" ? hops : [...hops, this.hop];
  }

  #fits(suffix: string, chain: readonly HopId[]): boolean {
    return chain.length <= MAX_HOPS && isPath(suffix);
  }
}
