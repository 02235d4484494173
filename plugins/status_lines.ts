/**
 * One status out of what several have to say: short, however many they are.
 *
 * @module
 */
import { inSentence, shortened } from "../base/visible_text.ts";

const MOST_LINES = 4;
/** Of all lines together; a status is not shown much longer. */
const MOST_CHARS = 440;

export class StatusLines {
  readonly #lines = new Map<string, string>();
  readonly #tell: (text: string | undefined) => void;
  #told: string | undefined;

  /** @param tell Takes the whole, whenever it has changed. */
  constructor(tell: (text: string | undefined) => void) {
    this.#tell = tell;
  }

  /** @param key Whoever says it. @param text `undefined` takes it back. */
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

/** What is said of a broadcast. */
export function ofBroadcast(path: string, text: string): string {
  return `${inSentence(path)}: ${text}`;
}
