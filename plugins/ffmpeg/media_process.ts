/**
 * ffmpeg and ffprobe as child processes: started, fed, read, and ended for certain.
 *
 * @module
 */
import { Complaints } from "./complaints.ts";
import { FfmpegFailed, FfmpegMissing } from "./errors.ts";

export interface MediaProcessOptions {
  /** Default "ffmpeg". */
  readonly program?: "ffmpeg" | "ffprobe";
  /** Without the program's name. What every run needs (no banner, no questions) is added. */
  readonly args: readonly string[];
  /** Added to its environment, which other users of the machine cannot see as they do arguments. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the process. */
  readonly signal?: AbortSignal;
  /** Something is written to its standard input. Default false: it reads nothing. */
  readonly input?: boolean;
  /** Texts that must not appear in an error, besides the credentials of URLs. */
  readonly secrets?: readonly string[];
  /** How long it may take to end in order, in milliseconds, before it is killed. Default 2,000. */
  readonly graceMs?: number;
  /** Told of each complaint as it comes, without credentials. */
  readonly oncomplaint?: (line: string) => void;
}

/** One run. Close it in the end, or abort its signal. */
export class MediaProcess implements AsyncDisposable {
  /** What it writes to standard output; taken as it comes, so whoever does not read holds it up. */
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Fulfils with the exit code once it is gone. Never rejects. */
  readonly ended: Promise<number>;
  readonly #program: "ffmpeg" | "ffprobe";
  readonly #child: Deno.ChildProcess;
  readonly #complaints: Complaints;
  readonly #graceMs: number;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | undefined;
  #gone = false;
  #killTimer: ReturnType<typeof setTimeout> | undefined;

  /** @throws {FfmpegMissing} @throws The signal's reason. */
  static start(options: MediaProcessOptions): MediaProcess {
    options.signal?.throwIfAborted();
    return new MediaProcess(options);
  }

  private constructor(options: MediaProcessOptions) {
    const { program = "ffmpeg", args, signal, input = false } = options;
    this.#program = program;
    this.#graceMs = options.graceMs ?? 2000;
    this.#complaints = new Complaints(options.secrets, options.oncomplaint);
    const quiet = ["-hide_banner", "-loglevel", "error"];
    const unasking = program === "ffmpeg" ? [...quiet, "-nostats", "-y"] : quiet;
    // Without this ffmpeg reads our terminal for keys.
    const silent = program === "ffmpeg" && !input ? ["-nostdin"] : [];
    const child = spawn(program, [...unasking, ...silent, ...args], input, options.env);
    this.#child = child;
    this.stdout = child.stdout;
    this.#writer = input ? child.stdin.getWriter() : undefined;
    this.#writer?.closed.catch(() => {}); // how it ended is told by `ended`
    const abort = () => this.#terminate();
    const heard = this.#listen();
    this.ended = (async () => {
      const { code } = await child.status;
      this.#gone = true;
      clearTimeout(this.#killTimer);
      signal?.removeEventListener("abort", abort);
      await heard;
      return code;
    })();
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
  }

  /** What it complained about last, without credentials; empty when it did not. */
  get complaint(): string {
    return this.#complaints.text;
  }

  /** How many complaints there were so far. */
  get complaints(): number {
    return this.#complaints.count;
  }

  /**
   * Feeds it. Fulfils when it has room for more: await it, and it is never fed faster than it eats.
   * @throws {FfmpegFailed} It has ended.
   */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) throw new TypeError("This process was started without an input");
    try {
      await writer.ready;
      await writer.write(bytes);
    } catch {
      throw this.failure(await this.ended);
    }
  }

  /** Nothing more will be written: it finishes what it has. */
  async endInput(): Promise<void> {
    try {
      await this.#writer?.close();
    } catch { // It has ended before.
    }
  }

  /** Waits for its end. @throws {FfmpegFailed} It has failed. */
  async done(): Promise<void> {
    const code = await this.ended;
    if (code !== 0) throw this.failure(code);
  }

  /** Why it ended, from what it said. */
  failure(exitCode: number): FfmpegFailed {
    return new FfmpegFailed(this.#program, this.complaint, exitCode);
  }

  /** Asks it to end, and kills it when it does not. */
  async close(): Promise<void> {
    this.#terminate();
    await this.ended;
    // Whoever still reads gets the end; if nobody does, the pipe has to be let go of.
    if (!this.stdout.locked) await this.stdout.cancel().catch(() => {});
    await this.#writer?.abort().catch(() => {});
  }

  /** Closes. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #terminate(): void {
    if (this.#gone) return;
    this.#signal("SIGTERM");
    this.#killTimer ??= setTimeout(() => this.#signal("SIGKILL"), this.#graceMs);
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch { // It is gone by itself.
    }
  }

  async #listen(): Promise<void> {
    try {
      for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
        this.#complaints.add(text);
      }
    } catch { // The pipe broke with the process.
    }
  }
}

function spawn(
  program: string,
  args: string[],
  input: boolean,
  env: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args,
      env,
      stdin: input ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) throw new FfmpegMissing(program, { cause });
    throw cause;
  }
}
