/**
 * One status made of several messages: short, however many there are.
 *
 * @module
 */
import { inSentence, shortened } from "../base/visible_text.ts";

const MOST_LINES = 4;
/** Of all lines together. */
const MOST_CHARS = 440;

export class StatusLines {
  readonly #lines = new Map<string, string>();
  readonly #tell: (text: string | undefined) => void;
  #told: string | undefined;

  /** @param tell Takes the whole status whenever it has changed. */
  constructor(tell: (text: string | undefined) => void) {
    this.#tell = tell;
  }

  /** @param key Whose message it is. @param text `undefined` takes it back. */
  set(key: string, text: string | undefined): void {
    if (text === undefined) this.#lines.delete(key);
    else this.#lines.set(key, text);
    const first = [...this.#lines.values().take(MOST_LINES)];
    const shown = first.map((line) => shortened(line, Math.floor(MOST_CHARS / first.length)));
    const more = this.#lines.size - shown.length;
    if (more > 0) shown.push(`${more} more`);
    const whole = shown.length === 0 ? undefined : shown.join("; ");
    if (whole === this.#told) return;
    this.#told = whole;
    this.#tell(whole);
  }
}

/** A message about a broadcast. */
export function ofBroadcast(path: string, text: string): string {
  return `${inSentence(path)}: ${text}`;
}
