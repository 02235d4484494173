import type { Client } from "../../../client/mod.ts";
import { LiveMedia, type ReadOptions } from "../../../media/broadcast/live_media.ts";
import { normalizePath } from "../../../wire/path.ts";

/**
 * Yields a broadcast each time it goes live. It waits for the announcement, and for the next one after the broadcast has gone.
 * Leave the loop or abort the signal to end it. It also ends with the client.
 *
 * ```ts
 * for await (const live of broadcasts(client, "cam", { signal })) {
 *   for await (const renditions of live.catalogs()) { … }
 * }
 * ```
 */
export async function* broadcasts(
  client: Client,
  path: string,
  options: ReadOptions = {},
): AsyncGenerator<LiveMedia, void, undefined> {
  const at = normalizePath(path);
  using news = client.announced(at);
  let live: { media: LiveMedia; end: AbortController } | undefined;
  let came = Promise.withResolvers<void>();
  let over = false;
  const done = () => {
    over = true;
    live?.end.abort();
    came.resolve();
  };
  const listen = (async () => {
    for await (const { path, active } of news) {
      if (path !== at) continue;
      live?.end.abort();
      live = undefined;
      if (!active) continue;
      const end = new AbortController();
      live = { media: new LiveMedia(client, at, { ...options, signal: end.signal }), end };
      came.resolve();
    }
  })().catch(() => {}).finally(done);
  const abort = () => {
    done();
    news.close();
  };
  options.signal?.addEventListener("abort", abort, { once: true });
  if (options.signal?.aborted) abort();
  try {
    for (let last: LiveMedia | undefined; !over;) {
      if (live !== undefined && live.media !== last) {
        last = live.media;
        yield last;
        continue;
      }
      came = Promise.withResolvers();
      if (!over) await came.promise;
    }
  } finally {
    options.signal?.removeEventListener("abort", abort);
    abort();
    await listen;
  }
}
