/**
 * Long lists in pages: each page names where the next one begins, by what its last item is called, so that what comes and
 * goes in between shifts nothing.
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
 * One page of what is sorted by `nameOf` already.
 * @param nameOf Items of the same name stand on one page.
 */
export function pageOf<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  { limit = DEFAULT_LIMIT, after }: AdminRequest["parameters"],
): { readonly items: readonly T[]; readonly next?: string } {
  const from = after === undefined ? 0 : firstAfter(items, nameOf, fromCursor(String(after)));
  let end = Math.min(from + Number(limit), items.length);
  while (end > from && end < items.length && nameOf(items[end]!) === nameOf(items[end - 1]!)) end++;
  const page = items.slice(from, end);
  return end === items.length
    ? { items: page }
    : { items: page, next: toCursor(nameOf(items[end - 1]!)) };
}

/** In the order in which {@link pageOf} goes through. */
export function sorted<T>(items: readonly T[], nameOf: (item: T) => string): T[] {
  return items.map((item) => ({ item, name: nameOf(item) }))
    .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
    .map(({ item }) => item);
}

function firstAfter<T>(items: readonly T[], nameOf: (item: T) => string, name: string): number {
  const at = items.findIndex((item) => nameOf(item) > name);
  return at < 0 ? items.length : at;
}

const toCursor = (name: string) =>
  new TextEncoder().encode(name).toBase64({ alphabet: "base64url", omitPadding: true });

function fromCursor(cursor: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(cursor, { alphabet: "base64url" }));
  } catch { // Not one of ours: everything is after it.
    return "";
  }
}
