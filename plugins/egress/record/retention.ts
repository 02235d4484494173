/**
 * Which recordings are kept: the newest, up to an age and a size.
 *
 * @module
 */
import { namePattern, UNFINISHED } from "./names.ts";

export interface Keep {
  /** Milliseconds; 0 keeps everything. */
  readonly maxAgeMs: number;
  /** Of all files together; 0 keeps everything. */
  readonly maxBytes: number;
}

interface Found {
  readonly path: string;
  readonly bytes: number;
  readonly changedMs: number;
}

/**
 * Removes the oldest recordings. It touches only files whose names come from the template.
 * @returns How many were removed.
 */
export async function prune(
  directory: string,
  template: string,
  keep: Keep,
  nowMs: number,
): Promise<number> {
  if (keep.maxAgeMs === 0 && keep.maxBytes === 0) return 0;
  const files: Found[] = [];
  for await (const path of recordings(directory, template)) {
    const info = await Deno.stat(path).catch(() => undefined);
    if (info === undefined) continue;
    files.push({ path, bytes: info.size, changedMs: info.mtime?.getTime() ?? nowMs });
  }
  files.sort((a, b) => a.changedMs - b.changedMs);
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  let removed = 0;
  for (const file of files) {
    const tooOld = keep.maxAgeMs > 0 && nowMs - file.changedMs > keep.maxAgeMs;
    const tooMuch = keep.maxBytes > 0 && bytes > keep.maxBytes;
    if (!tooOld && !tooMuch) break;
    await Deno.remove(file.path);
    bytes -= file.bytes;
    removed++;
  }
  return removed;
}

/** Paths of the files that an earlier run left unfinished. */
export async function unfinished(directory: string, template: string): Promise<string[]> {
  return await Array.fromAsync(recordings(directory, template, UNFINISHED));
}

async function* recordings(directory: string, template: string, suffix = "") {
  const pattern = namePattern(template);
  for await (const path of walk(directory)) {
    if (!path.endsWith(suffix)) continue;
    const name = path.slice(directory.length + 1, path.length - suffix.length);
    if (pattern.test(name)) yield path;
  }
}

async function* walk(directory: string): AsyncGenerator<string> {
  try {
    for await (const entry of Deno.readDir(directory)) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory) yield* walk(path);
      else if (entry.isFile) yield path;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
