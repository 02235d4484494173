/**
 * Files of recordings: written beside their name, given it when they are whole.
 *
 * @module
 */
import { RecordFailed } from "./errors.ts";
import { UNFINISHED } from "./names.ts";

/** What is used of an open file. */
export interface OpenFile {
  write(bytes: Uint8Array): Promise<number>;
  truncate(length: number): Promise<void>;
  sync(): Promise<void>;
  close(): void;
}

export type OpenNew = (path: string) => Promise<OpenFile>;

const openNew: OpenNew = (path) => Deno.open(path, { write: true, createNew: true });

/** A file that grows by whole pieces. What fails leaves the pieces before it. */
export class PieceFile {
  /** Bytes that are written for certain. */
  length = 0;
  /** Why it can no longer be written. */
  failure: RecordFailed | undefined;
  /** Its name once it is finished. */
  readonly path: string;
  readonly #open: OpenNew;
  #file: OpenFile | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** The file is made with the first piece. */
  constructor(path: string, open: OpenNew = openNew) {
    this.path = path;
    this.#open = open;
  }

  /** Adds a piece; in the order of the calls. @throws {RecordFailed} Nothing of it stands in the file. */
  add(piece: Uint8Array): Promise<void> {
    this.#writing = this.#writing.then(() => this.#add(piece));
    this.#writing.catch(() => {}); // told to the caller, and to whoever writes next
    return this.#writing;
  }

  /** Gives it its name, if anything was written. Closed either way. @returns Whether there is a file now. */
  async finish(): Promise<boolean> {
    await this.#writing.catch(() => {});
    const file = this.#file;
    if (file === undefined) return false;
    this.#file = undefined;
    try {
      await file.sync().catch(() => {});
    } finally {
      file.close();
    }
    if (this.length === 0) {
      await Deno.remove(this.path + UNFINISHED);
      return false;
    }
    await Deno.rename(this.path + UNFINISHED, this.path);
    return true;
  }

  async #add(piece: Uint8Array): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    try {
      if (this.#file === undefined) {
        await Deno.mkdir(this.path.slice(0, this.path.lastIndexOf("/")), { recursive: true });
        this.#file = await this.#open(this.path + UNFINISHED);
      }
      for (let at = 0; at < piece.length;) at += await this.#file.write(piece.subarray(at));
      this.length += piece.length;
    } catch (error) {
      this.failure = new RecordFailed(this.path, error);
      await this.#file?.truncate(this.length).catch(() => {});
      throw this.failure;
    }
  }
}

/**
 * Finishes what an earlier run of the program left: cut behind its last whole fragment, or removed when there is none.
 * @returns Whether something of it was kept.
 */
export async function recover(path: string): Promise<boolean> {
  const wholeBytes = await wholeFragments(path);
  if (wholeBytes === 0) {
    await Deno.remove(path);
    return false;
  }
  await Deno.truncate(path, wholeBytes);
  await Deno.rename(path, path.slice(0, -UNFINISHED.length));
  return true;
}

/** Bytes up to the end of the last `mdat` that is all there; 0 when there is none. */
async function wholeFragments(path: string): Promise<number> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const header = new Uint8Array(8);
  let whole = 0;
  for (let at = 0; at + 8 <= size;) {
    await file.seek(at, Deno.SeekMode.Start);
    if (await file.read(header) !== 8) break;
    const bytes = new DataView(header.buffer).getUint32(0);
    at += bytes;
    if (bytes < 8 || at > size) break;
    if (String.fromCharCode(...header.subarray(4)) === "mdat") whole = at;
  }
  return whole;
}
