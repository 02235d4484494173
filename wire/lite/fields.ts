import { type Field, listOf } from "../message.ts";
import { MAX_PATH_PARTS, normalizePath, pathParts } from "../path.ts";

/** Most hops in a chain; a longer one is a protocol violation. */
export const MAX_HOPS = 32;
const MAX_VARINT_62 = (1n << 62n) - 1n;

const pathField = (print: (path: string) => string): Field<string> => ({
  write(w, v) {
    const path = normalizePath(v);
    if (pathParts(path) > MAX_PATH_PARTS) {
      throw new RangeError(`Cannot encode a path of more than ${MAX_PATH_PARTS} parts: ${path}`);
    }
    w.text(print(path));
  },
  read(r) {
    const path = normalizePath(r.text());
    if (pathParts(path) > MAX_PATH_PARTS) throw r.fail(`path of more than ${MAX_PATH_PARTS} parts`);
    return path;
  },
});

/** A path without outer slashes, both ways. */
export const path = pathField((p) => p);
/** A path that is written with a leading slash, as gomoqt insists on; read with or without. */
export const rootedPath = pathField((p) => "/" + p);
/** A prefix that is written between slashes ("/" for everything), as gomoqt insists on; read with or without. */
export const rootedPrefix = pathField((p) => (p === "" ? "/" : `/${p}/`));

const hop: Field<bigint> = { write: (w, v) => w.bigVarint(v), read: (r) => r.bigVarint() };
const hopList = listOf(hop, MAX_HOPS);

/** The relays a broadcast came through, its origin first. A real id twice is a loop and refused; 0 (unknown) may repeat. */
export const hops: Field<readonly bigint[]> = {
  write: (w, v) => hopList.write(w, v),
  read(r) {
    const list = hopList.read(r);
    const known = list.filter((id) => id !== 0n);
    if (new Set(known).size !== known.length) throw r.fail("a hop id stands twice in one chain");
    return list;
  },
};

/** lite-03 tells only how many hops there were: that many unknown ones. */
export const hopCount: Field<readonly bigint[]> = {
  write(w, v) {
    w.varint(v.length);
  },
  read(r) {
    const count = r.varint();
    if (count > MAX_HOPS) throw r.fail(`${count} hops, at most ${MAX_HOPS} allowed`);
    return Array.from({ length: count }, () => 0n);
  },
};

/** A route's cost. The wire's largest value, "unknown", and all that numbers cannot hold exactly, is Infinity. */
export const cost: Field<number> = {
  write: (w, v) => (v > Number.MAX_SAFE_INTEGER ? w.bigVarint(MAX_VARINT_62) : w.varint(v)),
  read(r) {
    const value = r.bigVarint();
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(value);
  },
};

/** lite-06's lower bound of groups: the number itself, 0 for none. */
export const floor: Field<number | undefined> = {
  write: (w, v) => w.varint(v ?? 0),
  read: (r) => r.varint() || undefined,
};

/** A byte that old versions carry and nobody acts on: written 0, read as anything. */
export const ignoredByte: Field<undefined> = {
  write: (w) => w.u8(0),
  read(r) {
    r.u8();
    return undefined;
  },
};
