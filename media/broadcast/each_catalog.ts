import type { Rendition } from "../rendition.ts";
import type { LiveMedia } from "./live_media.ts";

export interface EachCatalogOptions {
  /** Ends it at once. */
  readonly signal: AbortSignal;
  /** Which renditions count; `undefined` keeps to those before. Default: all of them. */
  readonly choose?: (renditions: readonly Rendition[]) => readonly Rendition[] | undefined;
  /** Whether another frame rate is a change. Default false; another bitrate or jitter is none. */
  readonly framerate?: boolean;
}

/**
 * Runs `pass` for the renditions of a broadcast. When they change, the pass before is ended first. Changes in measured timing
 * are ignored: they change no decoder and no file header. Fulfils when the broadcast is over.
 * @throws What `pass` throws.
 */
export async function eachCatalog(
  live: LiveMedia,
  options: EachCatalogOptions,
  pass: (chosen: readonly Rendition[], signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { choose = (all) => all, framerate = false } = options;
  const ignored = ["bitrate", "jitterMs", ...(framerate ? [] : ["framerate"])];
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  let end: AbortController | undefined;
  let running = Promise.resolve();
  let key: string | undefined;
  try {
    for await (const all of live.catalogs({ signal })) {
      const chosen = choose(all);
      if (chosen === undefined) continue;
      const now = JSON.stringify(chosen, (name, field) => {
        if (ignored.includes(name)) return undefined;
        return field instanceof Uint8Array ? field.toHex() : field;
      });
      if (now === key) continue;
      key = now;
      end?.abort();
      await running;
      end = new AbortController();
      running = pass(chosen, AbortSignal.any([signal, end.signal]));
      running.catch(() => over.abort()); // ends the catalogs
    }
    await running;
  } finally {
    over.abort();
    await running.catch(() => {});
  }
}
