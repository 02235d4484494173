/**
 * Parses HTTP/3 frames (RFC 9114 §7) from a stream that arrives in pieces.
 *
 * @module
 */
import { Writer } from "../cursor.ts";
import { ProtocolViolation } from "../errors.ts";
import { H3Error, H3Violation } from "./errors.ts";
import { getVarint, MAX_VARINT, varintWidth } from "../varint.ts";

/** Frame types that are used. All others are skipped, as GREASE must be. */
export const FrameType = {
  data: 0x00,
  headers: 0x01,
  settings: 0x04,
  pushPromise: 0x05,
  goaway: 0x07,
  maxPushId: 0x0d,
} as const;

/** A longer HEADERS or SETTINGS frame is refused, because it has to be held whole. */
const MAX_HELD_BYTES = 16_384;

/** One frame. For DATA it is one piece, as it arrived. */
export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** A frame as bytes. */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array {
  const w = new Writer();
  w.varint(type);
  w.varint(payload.length);
  w.put(payload);
  return w.done().slice();
}

/**
 * Cuts a byte stream into items of type, length and payload: HTTP/3 frames here, capsules in `webtransport.ts`. Unwanted items
 * are skipped without being held. Payloads may be views into the pushed bytes.
 */
export class ItemParser {
  readonly #where: string;
  readonly #mode: (type: number) => "whole" | "pieces" | "skip";
  readonly #maxHeldBytes: number;
  readonly #began: (type: number) => void;
  #held: Uint8Array = new Uint8Array(0);
  #current: { type: number; left: number; mode: "pieces" | "skip" } | undefined;

  constructor(
    where: string,
    options: {
      readonly mode: (type: number) => "whole" | "pieces" | "skip";
      readonly maxHeldBytes: number;
      /** Called once with each item, before it is skipped, passed on or returned. May throw {@link ProtocolViolation}. */
      readonly began?: (type: number) => void;
    },
  ) {
    this.#where = where;
    this.#began = options.began ?? (() => {});
    this.#mode = options.mode;
    this.#maxHeldBytes = options.maxHeldBytes;
  }

  /** Whether the stream may end here: no item is half read. */
  get between(): boolean {
    return this.#held.length === 0 && this.#current === undefined;
  }

  /** Takes the next bytes and returns the items they complete. @throws {ProtocolViolation} */
  push(chunk: Uint8Array): Frame[] {
    let bytes = chunk;
    if (this.#held.length > 0) {
      bytes = new Uint8Array(this.#held.length + chunk.length);
      bytes.set(this.#held);
      bytes.set(chunk, this.#held.length);
    }
    const items: Frame[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#current) at = this.#pass(this.#current, bytes, at, items);
      else {
        const next = this.#begin(bytes, at, items);
        if (next === at) break;
        at = next;
      }
    }
    this.#held = bytes.slice(at);
    return items;
  }

  #pass(
    current: { type: number; left: number; mode: "pieces" | "skip" },
    bytes: Uint8Array,
    at: number,
    items: Frame[],
  ): number {
    const end = Math.min(bytes.length, at + current.left);
    if (current.mode === "pieces") {
      items.push({ type: current.type, payload: bytes.subarray(at, end) });
    }
    current.left -= end - at;
    if (current.left === 0) this.#current = undefined;
    return end;
  }
  /** @returns `at` itself when more bytes are needed. */
  #begin(bytes: Uint8Array, at: number, items: Frame[]): number {
    const lengthAt = at + varintWidth(bytes[at]!);
    if (lengthAt >= bytes.length) return at;
    const start = lengthAt + varintWidth(bytes[lengthAt]!);
    if (start > bytes.length) return at;
    // A type above 2^53 is rounded. It still matches no known type.
    const type = getVarint(bytes, at);
    const length = getVarint(bytes, lengthAt);
    if (length > MAX_VARINT) throw new ProtocolViolation(this.#where, "length above 2^53-1");
    const mode = this.#mode(type);
    if (mode !== "whole") {
      this.#began(type);
      if (length > 0) this.#current = { type, left: length, mode };
      return start;
    }
    if (length > this.#maxHeldBytes) {
      throw new ProtocolViolation(this.#where, `${length} bytes, at most ${this.#maxHeldBytes}`);
    }
    if (start + length > bytes.length) return at;
    this.#began(type);
    items.push({ type, payload: bytes.subarray(start, start + length) });
    return start + length;
  }
}

/** A parser for the frames of one HTTP/3 stream: HEADERS and SETTINGS whole, DATA in pieces, all else skipped. */
export function frameParser(): ItemParser {
  return new ItemParser("HTTP/3 frame", {
    mode: (type) =>
      type === FrameType.data
        ? "pieces"
        : type === FrameType.headers || type === FrameType.settings
        ? "whole"
        : "skip",
    maxHeldBytes: MAX_HELD_BYTES,
  });
}

const NOT_ON_CONTROL: ReadonlySet<number> = new Set([
  FrameType.data,
  FrameType.headers,
  FrameType.pushPromise,
]);

/** A parser for the control stream (RFC 9114 §6.2.1, §7.2): SETTINGS first and once, GOAWAY, all else skipped. */
export function controlParser(): ItemParser {
  const where = "HTTP/3 control stream";
  let first = true;
  return new ItemParser(where, {
    mode: (type) => type === FrameType.settings || type === FrameType.goaway ? "whole" : "skip",
    maxHeldBytes: MAX_HELD_BYTES,
    began: (type) => {
      if (first && type !== FrameType.settings) {
        throw new H3Violation(H3Error.missingSettings, where, "it does not begin with SETTINGS");
      }
      if (!first && type === FrameType.settings || NOT_ON_CONTROL.has(type)) {
        throw new H3Violation(H3Error.frameUnexpected, where, `a frame of type ${type}`);
      }
      first = false;
    },
  });
}
