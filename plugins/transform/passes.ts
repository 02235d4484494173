import type { Rendition } from "../../media/rendition.ts";
import type { Job } from "./inputs.ts";

/** The parts of a rendition whose change makes a decoder start over. Its measured timing does not. */
function keyOf(rendition: Rendition): unknown[] {
  const { name, codec, container, description = [], init = [] } = rendition;
  const own = rendition.kind === "video"
    ? [rendition.width, rendition.height]
    : [rendition.sampleRateHz, rendition.channels];
  return [name, codec, container, String(description), String(init), ...own];
}

/**
 * Runs `pass` for the renditions that are chosen from the catalog. When the choice changes, the pass before is ended first.
 * Fulfils when the broadcast is over.
 * @throws What `pass` throws.
 */
export async function eachCatalog(
  job: Job,
  choose: (renditions: readonly Rendition[]) => readonly Rendition[],
  pass: (chosen: readonly Rendition[], signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([job.signal, over.signal]);
  const catalogs = job.live.catalogs({ signal });
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // it may reject when nobody waits any more
  let end: AbortController | undefined;
  let running = Promise.resolve();
  let key: string | undefined;
  try {
    for (;;) {
      const { value, done } = await Promise.race([catalogs.next(), failed.promise]);
      if (done) break;
      const chosen = choose(value);
      const now = JSON.stringify(chosen.map(keyOf));
      if (now === key) continue;
      key = now;
      end?.abort();
      await running;
      end = new AbortController();
      running = pass(chosen, AbortSignal.any([signal, end.signal]));
      running.catch(failed.reject);
    }
    await running;
  } finally {
    over.abort();
    await running.catch(() => {});
    await catalogs.return(undefined);
  }
}
