/**
 * ffmpeg and ffprobe as child processes that are certain to end.
 *
 * @module
 */
import { Complaints } from "./complaints.ts";
import { FfmpegFailed, FfmpegMissing } from "./errors.ts";

export interface MediaProcessOptions {
  /** Default "ffmpeg". */
  readonly program?: "ffmpeg" | "ffprobe";
  /** Arguments. Those that every run needs (no banner, no questions) are added. */
  readonly args: readonly string[];
  /** Added to its environment, which other users of the machine cannot see; they see arguments. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the process. */
  readonly signal?: AbortSignal;
  /** Whether it reads standard input. Default false. */
  readonly input?: boolean;
  /** Texts that must not appear in an error, besides the credentials of URLs. */
  readonly secrets?: readonly string[];
  /** How long it may take to end by itself, in milliseconds, before it is killed. Default 2,000. */
  readonly graceMs?: number;
  /** Called with each complaint, without credentials. */
  readonly oncomplaint?: (line: string) => void;
}

/** One run. Close it in the end, or abort its signal. */
export class MediaProcess implements AsyncDisposable {
  /** Its standard output. It waits for a reader that does not read. */
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Fulfils with the exit code once it has ended. Never rejects. */
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
    this.#writer?.closed.catch(() => {}); // `ended` tells how it ended
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

  /** Its last complaints, without credentials; empty when there was none. */
  get complaint(): string {
    return this.#complaints.text;
  }

  /** How many complaints there were so far. */
  get complaints(): number {
    return this.#complaints.count;
  }

  /**
   * Writes to its standard input. Fulfils when it has room for more.
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

  /** Ends its standard input: it finishes what it has. */
  async endInput(): Promise<void> {
    try {
      await this.#writer?.close();
    } catch { // It has ended before.
    }
  }

  /** Waits until it has ended. @throws {FfmpegFailed} It has failed. */
  async done(): Promise<void> {
    const code = await this.ended;
    if (code !== 0) throw this.failure(code);
  }

  /** Why it ended, by its complaints. */
  failure(exitCode: number): FfmpegFailed {
    return new FfmpegFailed(this.#program, this.complaint, exitCode);
  }

  /** Asks it to end, and kills it if it does not. */
  async close(): Promise<void> {
    this.#terminate();
    await this.ended;
    // A reader gets the end. Without a reader the pipe has to be cancelled.
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
    } catch { // It has ended by itself.
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
