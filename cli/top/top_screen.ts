/**
 * The terminal as a picture that is drawn over and over, and the keys that end it.
 *
 * @module
 */
const CTRL_C = 3;
const OPEN = "\x1b[?1049h\x1b[?25l";
const CLOSE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const TO_LINE_END = "\x1b[K";
const TO_SCREEN_END = "\x1b[J";

/** The other screen of the terminal, until disposed. */
export class TopScreen implements Disposable {
  readonly #keys = Deno.stdin.isTerminal();

  /** @param onQuit The user has pressed q or Ctrl-C. */
  constructor(onQuit: () => void) {
    write(OPEN);
    if (!this.#keys) return;
    Deno.stdin.setRaw(true);
    void readKeys(onQuit);
  }

  get size(): { readonly columns: number; readonly rows: number } {
    return Deno.consoleSize();
  }

  show(lines: readonly string[]): void {
    // Drawn over, not cleared before: a cleared screen flickers.
    const text = lines.slice(0, this.size.rows).join(`${TO_LINE_END}\r\n`);
    write(HOME + text + TO_LINE_END + TO_SCREEN_END);
  }

  [Symbol.dispose](): void {
    if (this.#keys) Deno.stdin.setRaw(false);
    write(CLOSE);
  }
}

async function readKeys(onQuit: () => void): Promise<void> {
  const buffer = new Uint8Array(64);
  for (;;) {
    const count = await Deno.stdin.read(buffer).catch(() => null);
    if (count === null) return;
    const keys = buffer.subarray(0, count);
    if (keys.includes(CTRL_C) || /q/i.test(new TextDecoder().decode(keys))) return onQuit();
  }
}

function write(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
