/**
 * Loads what fetches groups with the first fetch: most pages never ask for one. A relay provides it from the start.
 *
 * @module
 */
import type { Fetches, FetchHost } from "./fetches.ts";

export type { Fetches } from "./fetches.ts";

let loaded: ((host: FetchHost) => Fetches) | undefined;

/** Gives what fetches, to a program that has it. */
export function provideFetches(make: (host: FetchHost) => Fetches): void {
  loaded ??= make;
}

/** What fetches the groups of one broadcast. */
export function fetchesFor(host: FetchHost): Fetches | Promise<Fetches> {
  return loaded?.(host) ?? load(host);
}

async function load(host: FetchHost): Promise<Fetches> {
  const { fetchesOf } = await import("./fetches.ts");
  provideFetches(fetchesOf);
  return fetchesOf(host);
}
