/**
 * Which broadcasts a transform works on, and what it makes of their names.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { isPattern, matchesPattern } from "../../base/path_pattern.ts";
import { Backoff } from "../../client/reconnect.ts";
import { integer, list, text } from "../../config/fields.ts";
import { PluginOptionsWrong } from "../errors.ts";
import { LiveMedia } from "../media/read.ts";
import { sleep } from "../media/pace.ts";
import type { PluginContext } from "../plugin.ts";

const NAME = "{name}";

/** The options every transform has. @param output What the output is called by default. */
export function broadcastOptions(output: string) {
  return {
    input: text(
      "Path of the broadcast that is taken, or a pattern of several: `*` is one part of a path, `**` at its end any number.",
      { example: "cam" },
    ),
    output: text("What is made of it: `{name}` stands for the path of the input.", {
      byDefault: output,
    }),
    exclude: list(
      'a list of patterns like "live/**"',
      isPattern,
      "Broadcasts that are left alone, such as what other transforms make.",
    ),
    max_broadcasts: integer(
      { min: 1, max: 1000, byDefault: 8 },
      "Inputs of a pattern that are worked on at one time; those beyond wait.",
    ),
  };
}

/** Those options, as they are read. */
export interface Names {
  readonly input: string;
  readonly output: string;
  readonly exclude: readonly string[];
  readonly maxBroadcasts: number;
}

/** @throws {PluginOptionsWrong} The output would be the input, or all inputs would have one output. */
export function checkNames({ input, output }: Names): void {
  const wrong = (key: string, message: string) =>
    new PluginOptionsWrong([{ path: [key], message }]);
  if (!isPattern(input)) {
    throw wrong("input", 'expected a path like "cam" or a pattern like "live/*" or "**"');
  }
  const many = input.includes("*");
  if (many && !output.includes(NAME)) {
    throw wrong("output", `expected a name with ${NAME} in it: the input is a pattern of several`);
  }
  if (outputOf(output, many ? "a" : input) === (many ? "a" : input)) {
    throw wrong("output", "expected another name than the input's");
  }
  if (/^\/|\/$|\/\//.test(output) || /[*]/.test(output)) {
    throw wrong("output", `expected a path like "${NAME}-new"`);
  }
}

/** What is made of a broadcast of this name. */
export function outputOf(template: string, name: string): string {
  return template.replaceAll(NAME, name);
}

/** Whether a name may have come from the template: what a transform makes is no input of it. */
function isOutput(template: string, name: string): boolean {
  const [before = "", after = ""] = template.split(NAME);
  return template.includes(NAME)
    ? name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after)
    : name === template;
}

/** One broadcast while it is worked on. */
export interface Job {
  readonly live: LiveMedia;
  readonly input: string;
  readonly output: string;
  /** Aborts when the instance ends. When the input has gone `live` tells. */
  readonly signal: AbortSignal;
  /** A word for the status of this broadcast. */
  status(text: string | undefined): void;
}

/**
 * Runs `work` for every broadcast that matches, from its announcement until it is gone, and anew when it returns.
 * Fulfils when the instance has to end.
 * @throws What `work` throws, where there is one input. Of a pattern's inputs the one that fails is tried again alone.
 */
export async function follow(
  ctx: PluginContext,
  names: Names,
  work: (job: Job) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([ctx.signal, over.signal]);
  const jobs = new Jobs(ctx, names, signal, work);
  const failed = Promise.withResolvers<never>();
  jobs.onfailed = failed.reject;
  const prefix = names.input.slice(0, names.input.search(/\*|$/));
  using news = ctx.client.announced(
    prefix.slice(0, prefix.lastIndexOf("/") + 1).replace(/\/$/, ""),
  );
  const stop = () => news.close();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const listening = (async () => {
    for await (const { path, active } of news) {
      if (!matchesPattern(names.input, path) || isOutput(names.output, path)) continue;
      if (names.exclude.some((pattern) => matchesPattern(pattern, path))) continue;
      if (active) jobs.came(path);
      else jobs.went(path);
    }
  })();
  try {
    jobs.tell();
    await Promise.race([listening, failed.promise]);
  } finally {
    over.abort();
    signal.removeEventListener("abort", stop);
    failed.promise.catch(() => {});
    await listening.catch(() => {});
    await jobs.settled();
  }
}

/** The inputs there are, each with what runs for it. */
class Jobs {
  onfailed: (error: unknown) => void = () => {};
  readonly #ctx: PluginContext;
  readonly #names: Names;
  readonly #signal: AbortSignal;
  readonly #work: (job: Job) => Promise<void>;
  /** What ends the current life of each input that is announced. */
  readonly #lives = new Map<string, AbortController>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #told = new Map<string, string>();

  constructor(
    ctx: PluginContext,
    names: Names,
    signal: AbortSignal,
    work: (job: Job) => Promise<void>,
  ) {
    this.#ctx = ctx;
    this.#names = names;
    this.#signal = signal;
    this.#work = work;
  }

  /** An input is there, or there anew. */
  came(path: string): void {
    this.#lives.get(path)?.abort();
    this.#lives.set(path, new AbortController());
    this.#fill();
  }

  went(path: string): void {
    this.#lives.get(path)?.abort();
    this.#lives.delete(path);
    this.tell();
  }

  async settled(): Promise<void> {
    for (const life of this.#lives.values()) life.abort();
    await Promise.all(this.#running.values());
  }

  /** Says in the status what is amiss. */
  tell(): void {
    const { input, maxBroadcasts } = this.#names;
    const waiting = this.#lives.size - this.#running.size;
    const lines = [...this.#told].map(([path, text]) => `${path}: ${text}`);
    if (this.#lives.size === 0) lines.push(`waiting for ${input}`);
    else if (waiting > 0 && this.#running.size >= maxBroadcasts) {
      lines.push(`${waiting} more than max_broadcasts (${maxBroadcasts}) wait`);
    }
    this.#ctx.status(lines.length === 0 ? undefined : lines.join("; "));
  }

  /** Starts what has not begun, as far as there is room. */
  #fill(): void {
    for (const path of this.#lives.keys()) {
      if (this.#signal.aborted || this.#running.size >= this.#names.maxBroadcasts) break;
      if (this.#running.has(path)) continue;
      const running = this.#run(path).catch((error) => this.onfailed(error)).finally(() => {
        this.#running.delete(path);
        this.#told.delete(path);
        this.#fill();
      });
      this.#running.set(path, running);
    }
    this.tell();
  }

  /** All lives of an input, one after another. */
  async #run(path: string): Promise<void> {
    const { client, log, stats } = this.#ctx;
    const backoff = new Backoff({ minMs: 1000, maxMs: 60_000 });
    for (let life; (life = this.#lives.get(path)) !== undefined && !this.#signal.aborted;) {
      const startedMs = this.#ctx.clock.now();
      const gone = AbortSignal.any([life.signal, this.#signal]);
      const output = outputOf(this.#names.output, path);
      try {
        await this.#work({
          live: new LiveMedia(client, path, { signal: gone, log }),
          input: path,
          output,
          signal: this.#signal,
          status: (text) => {
            if (text === undefined) this.#told.delete(path);
            else this.#told.set(path, text);
            this.tell();
          },
        });
        this.#told.delete(path);
        // It has ended before it was gone, or its catalog has: what comes next is news.
        if (!gone.aborted) await aborted(gone);
      } catch (error) {
        if (this.#signal.aborted) return;
        if (!this.#names.input.includes("*")) throw error;
        stats.errors++;
        log.warn("a broadcast failed", { broadcast: path, reason: reasonOf(error) });
        this.#told.set(path, reasonOf(error));
        this.tell();
        backoff.ended(this.#ctx.clock.now() - startedMs);
        await sleep(backoff.next(), gone);
      }
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
