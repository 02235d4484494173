/**
 * Every broadcast that some patterns name, for as long as each is live.
 *
 * @module
 */
import { matchesPattern } from "../../base/path_pattern.ts";
import type { Client } from "../../client/mod.ts";
import { LiveMedia, type ReadOptions } from "./read.ts";

/** @param signal Aborts when the work has to end at once, its own failure or not. */
export type LiveWork = (live: LiveMedia, signal: AbortSignal) => Promise<void>;

/**
 * Works on each life of each broadcast that one of the patterns names, side by side; two lives of one broadcast one after
 * the other.
 *
 * @returns When the signal has aborted, or the client is over, and all work has ended.
 * @throws What the first work that failed threw, once the others have ended too.
 */
export async function eachBroadcast(
  client: Client,
  patterns: readonly string[],
  options: ReadOptions & { readonly signal: AbortSignal },
  work: LiveWork,
): Promise<void> {
  const stop = new AbortController();
  const lives = new Map<string, { readonly end: AbortController; readonly work: Promise<void> }>();
  let failure: { readonly error: unknown } | undefined;
  using news = client.announced("");
  const ending = () => {
    stop.abort();
    news.close();
  };
  options.signal.addEventListener("abort", ending, { once: true });
  if (options.signal.aborted) ending();
  const begin = (path: string, before: Promise<void>) => {
    const end = new AbortController();
    const media = new LiveMedia(client, path, { ...options, signal: end.signal });
    const done = before.then(() => stop.signal.aborted ? undefined : work(media, stop.signal))
      .catch((error) => {
        failure ??= { error };
        ending();
      }).finally(() => {
        if (lives.get(path)?.end === end) lives.delete(path);
      });
    lives.set(path, { end, work: done });
  };
  try {
    for await (const { path, active } of news) {
      if (!patterns.some((pattern) => matchesPattern(pattern, path))) continue;
      const before = lives.get(path);
      before?.end.abort();
      if (active) begin(path, before?.work ?? Promise.resolve());
    }
  } finally {
    stop.abort();
    options.signal.removeEventListener("abort", ending);
    for (const { end } of lives.values()) end.abort();
    await Promise.all([...lives.values()].map((life) => life.work));
  }
  if (failure !== undefined) throw failure.error;
}
