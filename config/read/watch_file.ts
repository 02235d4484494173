import { sleep } from "../../base/sleep.ts";

/** How a file is watched. */
export interface WatchFileOptions {
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Called after each change. The next check waits for it. */
  readonly onChange: () => void | Promise<void>;
  /** Called when the file cannot be read any more. Then its return counts as a change, whatever it holds. */
  readonly onGone?: () => void;
  /** Time between two checks, in milliseconds. */
  readonly intervalMs?: number;
}

/**
 * Watches a file. It compares contents, so it sees renames, links and restored backups. A change counts if it is still the
 * same at the next check, since a file may be read while it is written. It waits for a file that is gone.
 *
 * @returns When the signal aborts. Never rejects.
 */
export async function watchFile(path: string, options: WatchFileOptions): Promise<void> {
  const { signal, onChange, onGone, intervalMs = 1000 } = options;
  let taken = await contents(path);
  let seen = taken;
  while (!signal.aborted) {
    await sleep(intervalMs, signal);
    if (signal.aborted) return;
    const now = await contents(path);
    if (now === undefined && seen !== undefined && onGone !== undefined) {
      onGone();
      taken = undefined;
    }
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
