import { cut } from "./columns.ts";
import { say } from "./output.ts";

/** Makes the text of the line, from seconds since the start and milliseconds since the line before. */
export type Figures = (seconds: number, sinceMs: number) => string;

const EVERY_MS = 1000;

/** One line on standard error that is written over every second; nothing where that is no terminal. */
export class StatusLine implements Disposable {
  readonly #terminal = Deno.stderr.isTerminal();
  #timer: ReturnType<typeof setInterval> | undefined;
  #text = "";

  /** Starts. `make` is called once and keeps what it counts in the function it returns. */
  show(make: () => Figures): void {
    if (!this.#terminal || this.#timer !== undefined) return;
    const figures = make();
    const startedMs = performance.now();
    let lastMs = startedMs;
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      this.#write(figures((nowMs - startedMs) / 1000, nowMs - lastMs));
      lastMs = nowMs;
    }, EVERY_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** Says something beside it. */
  tell(line: string): void {
    this.#clear();
    say(line);
  }

  /** Leaves the last line as it is. Idempotent. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#text !== "") raw("\n");
    this.#text = "";
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #write(text: string): void {
    this.#clear();
    // A line that wraps could not be written over.
    this.#text = cut(text, Math.max(20, columns() - 1));
    raw(this.#text);
  }

  #clear(): void {
    if (this.#text !== "") raw("\r\x1b[K");
    this.#text = "";
  }
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

function raw(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
