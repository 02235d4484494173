import type { SendStream } from "../../transport/connection.ts";

/** Most bytes of announcements that wait on one stream. Above that nothing more is written, and changes are merged. */
const MAX_UNTAKEN_BYTES = 64 * 1024;
/** What each waiting write counts besides its bytes. */
const WRITE_BYTES = 512;

/** What waits on a stream of announcements because its peer does not read. */
export class Untaken {
  #bytes = 0;

  constructor(readonly stream: SendStream) {}

  /** So many bytes are about to be written. */
  add(bytes: number): void {
    if (!this.stream.blocked) this.#bytes = 0;
    this.#bytes += bytes + WRITE_BYTES;
  }

  /** Whether the stream takes more now. Otherwise `then` is called when it does. */
  ready(then: () => void): boolean {
    if (this.#bytes < MAX_UNTAKEN_BYTES || !this.stream.blocked) return true;
    this.stream.onWritable(() => {
      this.#bytes = 0;
      then();
    });
    return false;
  }
}
