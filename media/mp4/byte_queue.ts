/** Bytes that arrive in chunks and leave in other portions. Takes linear time; copies only across the borders of chunks. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds a chunk. Its bytes must not change afterwards. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next bytes, without removing them. @param bytes Not more than `length`. */
  peek(bytes: number): Uint8Array {
    const first = this.#chunks[0];
    if (first && first.length >= bytes) return first.subarray(0, bytes);
    const joined = new Uint8Array(bytes);
    let filled = 0;
    for (const chunk of this.#chunks) {
      const part = chunk.subarray(0, bytes - filled);
      joined.set(part, filled);
      filled += part.length;
      if (filled === bytes) break;
    }
    return joined;
  }

  /** Removes the next bytes and returns them, as a view where one chunk has them all. */
  take(bytes: number): Uint8Array {
    const taken = this.peek(bytes);
    this.skip(bytes);
    return taken;
  }

  /** Removes the next bytes. @param bytes Not more than `length`. */
  skip(bytes: number): void {
    this.#length -= bytes;
    let whole = 0;
    for (const chunk of this.#chunks) {
      if (chunk.length > bytes) break;
      bytes -= chunk.length;
      whole++;
    }
    this.#chunks.splice(0, whole);
    const first = this.#chunks[0];
    if (first && bytes > 0) this.#chunks[0] = first.subarray(bytes);
  }
}
