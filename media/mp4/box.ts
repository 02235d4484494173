import { MediaError } from "../media_error.ts";

/**
 * One ISO BMFF box that lies in memory as a whole: bounds-checked reads relative to its body.
 * Every read past the end is a {@link MediaError}, so parsers need no length checks of their own.
 */
export class Box {
  readonly #view: DataView;

  /** @param type The four-character code. @param body What follows the header; a view, not a copy. */
  constructor(readonly type: string, readonly body: Uint8Array) {
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  }

  get length(): number {
    return this.body.length;
  }

  u8(at: number): number {
    this.#need(at, 1);
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    this.#need(at, 2);
    return this.#view.getUint16(at);
  }

  u32(at: number): number {
    this.#need(at, 4);
    return this.#view.getUint32(at);
  }

  i32(at: number): number {
    this.#need(at, 4);
    return this.#view.getInt32(at);
  }

  /** A 64-bit unsigned integer; refused above 2^53 - 1, where numbers stop being exact. */
  u64(at: number): number {
    this.#need(at, 8);
    const value = this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) throw this.invalid("a 64-bit number is above 2^53");
    return value;
  }

  i64(at: number): number {
    this.#need(at, 8);
    const value = this.#view.getInt32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) throw this.invalid("a 64-bit number is beyond 2^53");
    return value;
  }

  /** Version and flags of a "full box"; its fields begin at 4. */
  get version(): number {
    return this.u8(0);
  }

  get flags(): number {
    return this.u32(0) & 0xffffff;
  }

  fourcc(at: number): string {
    this.#need(at, 4);
    return fourccOf(this.body, at);
  }

  bytes(from: number, to = this.length): Uint8Array {
    if (from > to) throw this.invalid("it is cut short");
    this.#need(from, to - from);
    return this.body.subarray(from, to);
  }

  /** The boxes inside, from `at` on. */
  children(at = 0): Box[] {
    const boxes: Box[] = [];
    while (at < this.length) {
      // QuickTime ends some containers with four zero bytes.
      if (this.length - at < 8) break;
      const size = this.u32(at);
      if (size < 8 || size > this.length - at) {
        throw this.invalid(`the box inside it at ${at} claims ${size} bytes`);
      }
      boxes.push(new Box(this.fourcc(at + 4), this.body.subarray(at + 8, at + size)));
      at += size;
    }
    return boxes;
  }

  /** The first box of that type inside, if any. */
  child(type: string, at = 0): Box | undefined {
    return this.children(at).find((box) => box.type === type);
  }

  /** The same, where the format demands it. */
  need(type: string, at = 0): Box {
    const box = this.child(type, at);
    if (!box) throw this.invalid(`it has no "${type}" box`);
    return box;
  }

  invalid(why: string): MediaError {
    return new MediaError(`Cannot read the "${this.type}" box of the MP4: ${why}`);
  }

  #need(at: number, bytes: number): void {
    if (at + bytes > this.length) throw this.invalid("it is cut short");
  }
}

/** Four bytes as the text of a box type. */
export function fourccOf(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
