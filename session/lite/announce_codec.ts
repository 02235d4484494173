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
import { framed } from "../../wire/message.ts";
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
  readonly #initial: string[] = [];

  constructor(readonly reader: StreamReader, readonly dialect: Dialect) {}

  /** Reads what the stream begins with. @returns The peer's hop id where it tells, or `undefined` when the stream has ended. */
  async begin(): Promise<HopId | undefined> {
    if (this.dialect.announceFirst === "nothing") return 0n;
    if (this.dialect.announceFirst === "ok") {
      return (await this.reader.message(AnnounceOk))?.hop;
    }
    const init = await this.reader.message(AnnounceInit);
    if (init === undefined) return undefined;
    this.#initial.push(...init.suffixes);
    return 0n;
  }

  /** The next news, or `undefined` at the end in order. @throws {ProtocolViolation} */
  async next(): Promise<AnnounceNews | undefined> {
    const initial = this.#initial.shift();
    if (initial !== undefined) {
      return { kind: "active", suffix: initial, hops: [], ...UNPRICED };
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

/** Writes our announcements. */
export class AnnounceEncoder {
  readonly #ids = new Map<string, number>();
  #nextId = 0;

  constructor(readonly dialect: Dialect, readonly hop: HopId) {}

  /** What the stream begins with, when these are live now. Announces them too where the first message lists them. */
  begin(current: readonly string[]): Uint8Array | undefined {
    switch (this.dialect.announceFirst) {
      case "init":
        return framed(AnnounceInit.encode({ suffixes: current }));
      case "ok":
        return framed(AnnounceOk.encode({ hop: this.hop, count: current.length }));
      case "nothing":
        return undefined;
    }
  }

  /** A broadcast that was not there before. */
  active(suffix: string, hops: readonly HopId[], warm: number, cold: number): Uint8Array {
    if (this.dialect.announce === "typed") {
      this.#ids.set(suffix, this.#nextId++);
      return framed(AnnounceStart.encode({ suffix, hops, warm, cold }), ANNOUNCE_TYPE.start);
    }
    const chain = this.dialect.hopAppendedBy === "receiver" ? hops : [...hops, this.hop];
    return framed(
      this.dialect.announce.encode({ status: ANNOUNCE_STATUS.active, suffix, hops: chain }),
    );
  }

  /** Another route to a live broadcast; `undefined` where the version cannot say so. */
  updated(
    suffix: string,
    hops: readonly HopId[],
    warm: number,
    cold: number,
  ): Uint8Array | undefined {
    if (!this.dialect.announceUpdates) return undefined;
    if (this.dialect.announce !== "typed") return this.active(suffix, hops, warm, cold);
    const id = this.#ids.get(suffix)!;
    return framed(AnnounceUpdate.encode({ id, hops, warm, cold }), ANNOUNCE_TYPE.update);
  }

  ended(suffix: string): Uint8Array {
    if (this.dialect.announce === "typed") {
      const id = this.#ids.get(suffix)!;
      this.#ids.delete(suffix);
      return framed(AnnounceEnd.encode({ id }), ANNOUNCE_TYPE.end);
    }
    return framed(
      this.dialect.announce.encode({ status: ANNOUNCE_STATUS.ended, suffix, hops: [] }),
    );
  }
}
