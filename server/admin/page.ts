/**
 * Long lists in pages. Each page says where the next one begins: behind the name of its last item. So nothing shifts when
 * items come and go in between.
 *
 * @module
 */
import { z } from "zod";
import type { AdminParameter, AdminRequest } from "./routes/route.ts";

const DEFAULT_LIMIT = 500;
const MAX_LIMIT = 1_000;

/** The parameters of a list in pages. */
export const PAGING: readonly AdminParameter[] = [
  {
    name: "limit",
    in: "query",
    about: `Most items in the answer; ${DEFAULT_LIMIT} if not given.`,
    shape: z.int().min(1).max(MAX_LIMIT),
  },
  {
    name: "after",
    in: "query",
    about: "Goes on where a page ended: its `next`.",
    shape: z.string().max(4_096).regex(/^[A-Za-z0-9_-]*$/),
  },
];

/**
 * One page of a list, in the order of the names.
 * @param nameOf Items of the same name stand on one page.
 */
export function pageOf<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  { limit = DEFAULT_LIMIT, after }: AdminRequest["parameters"],
): { readonly items: readonly T[]; readonly next?: string } {
  const last = after === undefined ? undefined : fromCursor(String(after));
  const rest = items.map((item) => ({ item, name: nameOf(item) }))
    .filter(({ name }) => last === undefined || name > last)
    .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  let end = Math.min(Number(limit), rest.length);
  while (end > 0 && end < rest.length && rest[end]!.name === rest[end - 1]!.name) end++;
  const page = rest.slice(0, end).map(({ item }) => item);
  return end === rest.length
    ? { items: page }
    : { items: page, next: toCursor(rest[end - 1]!.name) };
}

const toCursor = (name: string) =>
  new TextEncoder().encode(name).toBase64({ alphabet: "base64url", omitPadding: true });

function fromCursor(cursor: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(cursor, { alphabet: "base64url" }));
  } catch { // not one of ours: everything comes after it
    return "";
  }
}
