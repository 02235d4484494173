import { QumoError } from "../../client/mod.ts";
import { reasonOf } from "../../base/errors.ts";
import { fileName } from "../../plugins/egress/file_name.ts";

/** Takes the frames that were received. */
export interface FrameSaver extends AsyncDisposable {
  /** Whether the groups of a track have to come one after another. */
  readonly inOrder: boolean;
  write(track: string, group: number, frame: number, payload: Uint8Array): Promise<void>;
}

class SaveFailed extends QumoError {
  readonly code = "QUMO_SAVE_FAILED";
}

/**
 * @param out A directory, "-" for standard output, or `undefined` for nowhere.
 * @param raw One file a track instead of one a frame.
 */
export function openFrameSaver(out: string | undefined, raw: boolean): FrameSaver {
  if (out === undefined) return new Nowhere();
  if (out === "-") return new ToStdout();
  return raw ? new FileEachTrack(out) : new FileEachFrame(out);
}

class Nowhere implements FrameSaver {
  readonly inOrder = false;
  write(): Promise<void> {
    return Promise.resolve();
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

class ToStdout implements FrameSaver {
  readonly inOrder = true;
  readonly #writer = Deno.stdout.writable.getWriter();

  async write(_track: string, _group: number, _frame: number, payload: Uint8Array): Promise<void> {
    try {
      await this.#writer.write(payload as Uint8Array<ArrayBuffer>);
    } catch (cause) {
      throw new SaveFailed(`Cannot write to standard output: ${reasonOf(cause)}`, { cause });
    }
  }
  [Symbol.asyncDispose](): Promise<void> {
    this.#writer.releaseLock();
    return Promise.resolve();
  }
}

class FileEachFrame implements FrameSaver {
  readonly inOrder = false;
  readonly #dir: string;
  readonly #made = new Set<string>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  async write(track: string, group: number, frame: number, payload: Uint8Array): Promise<void> {
    const dir = `${this.#dir}/${fileName(track)}`;
    const path = `${dir}/${group}-${frame}`;
    await saving(path, async () => {
      if (!this.#made.has(dir)) await Deno.mkdir(dir, { recursive: true });
      this.#made.add(dir);
      await Deno.writeFile(path, payload);
    });
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

class FileEachTrack implements FrameSaver {
  readonly inOrder = true;
  readonly #dir: string;
  readonly #files = new Map<string, Promise<Deno.FsFile>>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  async write(track: string, _group: number, _frame: number, payload: Uint8Array): Promise<void> {
    const path = `${this.#dir}/${fileName(track)}`;
    await saving(path, async () => {
      const opening = this.#files.get(track) ?? this.#open(path);
      this.#files.set(track, opening);
      const file = await opening;
      for (let rest = payload; rest.length > 0;) rest = rest.subarray(await file.write(rest));
    });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const opening of this.#files.values()) (await opening.catch(() => undefined))?.close();
  }

  async #open(path: string): Promise<Deno.FsFile> {
    await Deno.mkdir(this.#dir, { recursive: true });
    return await Deno.create(path);
  }
}

async function saving(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw new SaveFailed(`Cannot write ${path}: ${reasonOf(cause)}`, { cause });
  }
}
