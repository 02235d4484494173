/** The area of a test file: its top folder, or in `tests` the folder below. */
export function areaOf(path: string): string {
  const [top, below = ""] = path.split("/");
  return top === "tests" ? `tests/${below.replace(/_test\.ts$/, "")}` : top!;
}

export interface TestProgressOptions {
  /** How many areas there are; absent when it is not known. */
  readonly areas?: number;
  /** Leaves out the lines of tests that passed. */
  readonly brief: boolean;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Reads what `deno test` writes, line by line, and adds a line whenever an area begins or is done. */
export class TestProgress {
  readonly #options: TestProgressOptions;
  readonly #seen = new Set<string>();
  #area: string | undefined;
  #sinceMs = 0;
  #count = { passed: 0, failed: 0, ignored: 0 };
  #passedBefore = 0;
  #over = false;

  constructor(options: TestProgressOptions) {
    this.#options = options;
  }

  /** @returns What to write for this line. */
  take(line: string): string[] {
    // deno-lint-ignore no-control-regex
    const plain = line.replace(/\x1b\[[0-9;]*m/g, "");
    if (this.#over) return [line];
    const file = /^running \d+ tests? from \.\/(\S+)$/.exec(plain)?.[1]?.replaceAll("\\", "/");
    if (file !== undefined) {
      return [...this.#enter(areaOf(file)), ...(this.#options.brief ? [] : [line])];
    }
    if (/^(?: ERRORS | FAILURES |(?:ok|FAILED) \| \d+ passed)/.test(plain)) {
      this.#over = true;
      return [...this.#leave(), line];
    }
    // With `--parallel` areas mix: only the beginning of one can be told.
    const mixed = /^\.\/(\S+) => .* \.\.\. /.exec(plain)?.[1]?.replaceAll("\\", "/");
    const begun = mixed === undefined || this.#seen.has(areaOf(mixed))
      ? []
      : [this.#begin(areaOf(mixed))];
    // Steps are indented: they are part of their test.
    const result = /^\S.* \.\.\. (ok|FAILED|ignored) \(/.exec(plain)?.[1];
    if (result === "ok") this.#count.passed++;
    if (result === "FAILED") this.#count.failed++;
    if (result === "ignored") this.#count.ignored++;
    const dull = /\.\.\. (?:ok|ignored) \([^)]*\)$/.test(plain) || plain === "";
    return this.#options.brief && dull ? begun : [...begun, line];
  }

  #enter(area: string): string[] {
    if (area === this.#area) return [];
    const lines = this.#leave();
    this.#area = area;
    this.#sinceMs = this.#options.now();
    return [...lines, this.#begin(area)];
  }

  #begin(area: string): string {
    this.#seen.add(area);
    const { areas } = this.#options;
    return `${areas === undefined ? "" : `[${this.#seen.size}/${areas}] `}${area} …`;
  }

  #leave(): string[] {
    if (this.#area === undefined) return [];
    const { passed, failed, ignored } = this.#count;
    this.#passedBefore += passed;
    this.#count = { passed: 0, failed: 0, ignored: 0 };
    const seconds = ((this.#options.now() - this.#sinceMs) / 1000).toFixed(0);
    const others = (failed > 0 ? `, ${failed} failed` : "") +
      (ignored > 0 ? `, ${ignored} ignored` : "");
    const line =
      `${this.#area}: ${passed} passed${others}, ${seconds} s; ${this.#passedBefore} so far`;
    this.#area = undefined;
    return [line];
  }
}
