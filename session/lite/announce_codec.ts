/**
 * The messages of one announce stream, in the three dialects they come in, as the same few events.
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
} from "../../wire/lite/announce.ts";
import type { Dialect } from "../../wire/lite/dialect.ts";
import { MAX_HOPS } from "../../wire/lite/fields.ts";
import { framed } from "../../wire/message.ts";
import { MAX_PATH_PARTS, pathParts } from "../../wire/path.ts";
import type { StreamReader } from "../stream_reader.ts";

/** One piece of news from an announce stream. */
export type AnnounceNews =
  | {
    readonly kind: "active";
    readonly suffix: string;
    /** As on the wire: without the hop of ANNOUNCE_OK. */
    readonly hops: readonly HopId[];
    readonly warm: number;
    readonly cold: number;
  }
  | { readonly kind: "ended"; readonly suffix: string };

/** Costs of a route that came from a version without costs. */
const UNPRICED = { warm: 0, cold: Infinity } as const;

/** Reads the peer's announcements. */
export class AnnounceDecoder {
  /** Suffix by id, `undefined` once retired (06). */
  readonly #ids: (string | undefined)[] = [];
  readonly #live = new Set<string>();
  #initial: Iterator<string> = [].values();

  constructor(readonly reader: StreamReader, readonly dialect: Dialect) {}

  /** Reads what the stream begins with. @returns The peer's hop id where it tells, or `undefined` when the stream has ended. */
  async begin(): Promise<HopId | undefined> {
    if (this.dialect.announceFirst === "nothing") return 0n;
    if (this.dialect.announceFirst === "ok") {
      return (await this.reader.message(AnnounceOk))?.hop;
    }
    const init = await this.reader.message(AnnounceInit);
    if (init === undefined) return undefined;
    this.#initial = new Set(init.suffixes).values();
    return 0n;
  }

  /** The next news, or `undefined` at the end in order. @throws {ProtocolViolation} */
  async next(): Promise<AnnounceNews | undefined> {
    const initial = this.#initial.next();
    if (!initial.done) {
      return { kind: "active", suffix: initial.value, hops: [], ...UNPRICED };
    }
    return this.dialect.announce === "typed" ? await this.#typed() : await this.#status();
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

  async #typed(): Promise<AnnounceNews | undefined> {
    for (;;) {
      const type = await this.reader.varint();
      if (type === undefined) return undefined;
      const body = await this.reader.body("ANNOUNCE");
      if (body === undefined) throw new ProtocolViolation("ANNOUNCE", "a type without a body");
      if (type === ANNOUNCE_TYPE.start) {
        const start = AnnounceStart.decode(body);
        if (this.#live.has(start.suffix)) {
          throw new ProtocolViolation("ANNOUNCE_START", `"${start.suffix}" is announced already`);
        }
        this.#ids.push(start.suffix);
        this.#live.add(start.suffix);
        return { kind: "active", ...start };
      }
      if (type === ANNOUNCE_TYPE.end) {
        const { id } = AnnounceEnd.decode(body);
        const suffix = this.#suffixOf(id);
        this.#ids[id] = undefined;
        this.#live.delete(suffix);
        return { kind: "ended", suffix };
      }
      if (type === ANNOUNCE_TYPE.update) {
        const { id, hops, warm, cold } = AnnounceUpdate.decode(body);
        return { kind: "active", suffix: this.#suffixOf(id), hops, warm, cold };
      }
      // Other types are stepped over and take no id.
    }
  }

  #suffixOf(id: number): string {
    const suffix = this.#ids[id];
    if (suffix === undefined) throw new ProtocolViolation("ANNOUNCE", `id ${id} is not live`);
    return suffix;
  }
}

/** What is told of one broadcast: the shape of the origin's events. */
export interface Telling {
  readonly suffix: string;
  /** Absent when the broadcast is gone. */
  readonly route:
    | { readonly hops: readonly HopId[]; readonly warm: number; readonly cold: number }
    | undefined;
}

/** Writes our announcements. One that no message can hold (a chain or a path too long) is left out. */
export class AnnounceEncoder {
  /** Id by suffix of what the peer takes for live; ids count only in 06. */
  readonly #live = new Map<string, number>();
  #nextId = 0;

  constructor(readonly dialect: Dialect, readonly hop: HopId) {}

  /** What the stream begins with, when these are live now: a head where the version has one, and they. */
  begin(current: readonly Telling[]): Uint8Array[] {
    const told = current.map((one) => this.encode(one)).filter((bytes) => bytes !== undefined);
    switch (this.dialect.announceFirst) {
      case "init":
        return [framed(AnnounceInit.encode({ suffixes: [...this.#live.keys()] }))];
      case "ok":
        return [framed(AnnounceOk.encode({ hop: this.hop, count: told.length })), ...told];
      case "nothing":
        return told;
    }
  }

  /** One piece of news; `undefined` when there is nothing to say, or no way to say it in this version. */
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
    return chain.length <= MAX_HOPS && pathParts(suffix) <= MAX_PATH_PARTS;
  }
}
