import { sleep } from "../../base/sleep.ts";

/** What is done when a file has changed. */
export interface WatchFileOptions {
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Called once a change has settled; the next look waits for it. */
  readonly onChange: () => void | Promise<void>;
  /** Time between two looks, in milliseconds. */
  readonly intervalMs?: number;
}

/**
 * Looks for changes of a file. Contents are compared, so that renames, links and restored backups are all seen; a change
 * counts when it is still the same at the next look, since a file may be read while it is written. A file that is gone is
 * waited for.
 *
 * @returns When the signal aborts. Never rejects.
 */
export async function watchFile(path: string, options: WatchFileOptions): Promise<void> {
  const { signal, onChange, intervalMs = 1000 } = options;
  let taken = await contents(path);
  let seen = taken;
  while (!signal.aborted) {
    await sleep(intervalMs, signal);
    if (signal.aborted) return;
    const now = await contents(path);
    const settled = now !== undefined && now === seen && now !== taken;
    seen = now;
    if (!settled) continue;
    taken = now;
    await onChange();
  }
}

async function contents(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return undefined;
  }
}
