/**
 * Files of recordings. They are written under another name, and get their own when they are finished.
 *
 * @module
 */
import { RecordFailed } from "./errors.ts";
import { UNFINISHED } from "./names.ts";

/** The methods of an open file that are used. */
export interface OpenFile {
  write(bytes: Uint8Array): Promise<number>;
  truncate(length: number): Promise<void>;
  sync(): Promise<void>;
  close(): void;
}

export type OpenNew = (path: string) => Promise<OpenFile>;

const openNew: OpenNew = (path) => Deno.open(path, { write: true, createNew: true });

/** A file that grows by whole pieces. After a failure the pieces before it are still there. */
export class PieceFile {
  /** Bytes that have been written. */
  length = 0;
  /** Why nothing more can be written. */
  failure: RecordFailed | undefined;
  /** Its path when it is finished. */
  readonly path: string;
  readonly #open: OpenNew;
  #file: OpenFile | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** The file is made with the first piece. */
  constructor(path: string, open: OpenNew = openNew) {
    this.path = path;
    this.#open = open;
  }

  /** Adds a piece; in the order of the calls. @throws {RecordFailed} The file holds nothing of it. */
  add(piece: Uint8Array): Promise<void> {
    this.#writing = this.#writing.then(() => this.#add(piece));
    this.#writing.catch(() => {}); // told to the caller, and to whoever writes next
    return this.#writing;
  }

  /** Closes the file, and gives it its name if anything was written. @returns Whether there is a file now. */
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
 * Finishes a file that an earlier run left: cuts it after its last whole fragment, or removes it if there is none.
 * @returns Whether the file was kept.
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

/** Bytes up to the end of the last whole `mdat`; 0 if there is none. */
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
