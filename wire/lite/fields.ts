import { Reader } from "../cursor.ts";
import { bigVarint, type Field, listOf } from "../message.ts";
import {
  isName,
  MAX_HOPS,
  MAX_NAME_BYTES,
  MAX_PATH_PARTS,
  normalizePath,
  pathParts,
} from "../path.ts";

/** Most bytes of a path on the wire: some versions add a slash at each end. */
export const MAX_PATH_TEXT_BYTES = MAX_NAME_BYTES + 2;

const pathField = (print: (path: string) => string): Field<string> => ({
  write(w, v) {
    const path = normalizePath(v);
    if (pathParts(path) > MAX_PATH_PARTS) {
      throw new RangeError(`Cannot encode a path of more than ${MAX_PATH_PARTS} parts: ${path}`);
    }
    if (!isName(path)) {
      throw new RangeError(`Cannot encode a path of more than ${MAX_NAME_BYTES} bytes`);
    }
    w.text(print(path));
  },
  read: (r) => checkedPath(r, r.text(MAX_PATH_TEXT_BYTES)),
});

/** A path, written without outer slashes. */
export const path = pathField((p) => p);
/** A path, written with a leading slash because gomoqt requires it. It is read with or without. */
export const rootedPath = pathField((p) => "/" + p);
/** A prefix, written between slashes ("/" for everything) because gomoqt requires them. It is read with or without. */
export const rootedPrefix = pathField((p) => (p === "" ? "/" : `/${p}/`));

/** Reads a path from bytes that have no length in front. @throws {ProtocolViolation} */
export function pathOf(text: Uint8Array, where: string): string {
  return checkedPath(new Reader(text, where));
}

function checkedPath(r: Reader, text = r.rest()): string {
  const path = normalizePath(text);
  if (pathParts(path) > MAX_PATH_PARTS) throw r.fail(`path of more than ${MAX_PATH_PARTS} parts`);
  if (!isName(path)) throw r.fail(`path of more than ${MAX_NAME_BYTES} bytes`);
  return path;
}

/** The name of a track: any text of at most {@link MAX_NAME_BYTES}. */
export const trackName: Field<string> = {
  write(w, v) {
    if (!isName(v)) {
      throw new RangeError(`Cannot encode a track name of more than ${MAX_NAME_BYTES} bytes`);
    }
    w.text(v);
  },
  read: (r) => r.text(MAX_NAME_BYTES),
};

const hopList = listOf(bigVarint, MAX_HOPS);

/** The hops a broadcast came through, its publisher first. A repeated id is a loop and is refused; 0 (unknown) may repeat. */
export const hops: Field<readonly bigint[]> = {
  write: (w, v) => hopList.write(w, v),
  read(r) {
    const list = hopList.read(r);
    const known = list.filter((id) => id !== 0n);
    if (new Set(known).size !== known.length) throw r.fail("a hop id stands twice in one chain");
    return list;
  },
};

/** lite-03 sends only the number of hops. They are read as that many unknown ones. */
export const hopCount: Field<readonly bigint[]> = {
  write(w, v) {
    if (v.length > MAX_HOPS) {
      throw new RangeError(`Cannot encode ${v.length} hops: at most ${MAX_HOPS}`);
    }
    w.varint(v.length);
  },
  read(r) {
    const count = r.varint();
    if (count > MAX_HOPS) throw r.fail(`${count} hops, at most ${MAX_HOPS} allowed`);
    return Array.from({ length: count }, () => 0n);
  },
};

/** A route's cost. The largest value on the wire means "unknown". That, and every cost above 2^53-1, is Infinity here. */
export const cost: Field<number> = {
  write: (w, v) => (v > Number.MAX_SAFE_INTEGER ? w.bigVarint(w.varints.max) : w.varint(v)),
  read(r) {
    const value = r.bigVarint();
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(value);
  },
};

/** lite-06's lower bound of groups: the number itself, or 0 for no bound. */
export const floor: Field<number | undefined> = {
  write: (w, v) => w.varint(v ?? 0),
  read: (r) => r.varint() || undefined,
};

/** A byte of old versions that nobody uses. It is written as 0, and any value is read. */
export const ignoredByte: Field<undefined> = {
  write: (w) => w.u8(0),
  read(r) {
    r.u8();
    return undefined;
  },
};

/** Units per second. 0 is refused, because timestamps are divided by it. */
export const timescale: Field<number> = {
  write(w, v) {
    if (v === 0) throw new RangeError("Cannot encode timescale 0: must be at least 1 per second");
    w.varint(v);
  },
  read(r) {
    const value = r.varint();
    if (value === 0) throw r.fail("timescale 0");
    return value;
  },
};

/** A status byte of ANNOUNCE: 0, 1 or 2. */
export const announceStatus: Field<number> = {
  write: (w, v) => w.u8(v),
  read(r) {
    const value = r.u8();
    if (value > 2) throw r.fail(`unknown status ${value}`);
    return value;
  },
};
