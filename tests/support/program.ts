/**
 * This program as child processes: what a user starts, with its arguments, its output and its exit code.
 *
 * @module
 */
import { fromFileUrl } from "../../tools/file_url.ts";

/** The program. */
export const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

/** A running command. Killed when it goes out of scope. */
export interface Program extends AsyncDisposable {
  readonly process: Deno.ChildProcess;
  /** All it has written to standard error and, unless that is passed on, to standard output. */
  output(): string;
  /**
   * Fulfils once a text was written.
   * @param limitMs How long that may take: a text that never comes must not hold up every other test.
   * @throws {Error} The program has ended without it, or the time is over; with all that it wrote.
   */
  saw(text: string | RegExp, limitMs?: number): Promise<string>;
  /** Its exit code, once everything it wrote is read. */
  ended(): Promise<number>;
}

export interface StartOptions {
  /** What it reads from standard input; nothing if absent. */
  readonly stdin?: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly env?: Readonly<Record<string, string>>;
  /** A compiled or packed program, in place of Deno with a script. */
  readonly executable?: string;
  /** File of another program than this one. */
  readonly script?: string;
  /** Flags of `deno run`; away from the project it needs "--unstable-net" for QUIC, which deno.json says here. */
  readonly runFlags?: readonly string[];
  readonly cwd?: string;
  /** Name of the network namespace that it runs in. */
  readonly namespace?: string;
}

/** No program is slower than this, on the busiest machine. */
const SAW_LIMIT_MS = 180_000;

/** Starts `qumo-relay ARGS`, or another script with them. */
export function start(args: readonly string[], options: StartOptions = {}): Program {
  const { namespace, executable } = options;
  const deno = [Deno.execPath(), "run", "-A", ...options.runFlags ?? [], options.script ?? MAIN];
  const command = [
    ...(namespace === undefined ? [] : ["ip", "netns", "exec", namespace]),
    ...(executable === undefined ? deno : [executable]),
    ...args,
  ];
  const process = new Deno.Command(command[0]!, {
    args: command.slice(1),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: options.stdin ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", ...options.env },
  }).spawn();
  return follow(process, options.stdin?.pipeTo(process.stdin).catch(() => {}));
}

/** Any other program that runs, with both outputs piped. @param feeding Over when its input is. */
export function follow(process: Deno.ChildProcess, feeding?: Promise<void>): Program {
  let text = "";
  let changed = Promise.withResolvers<void>();
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
      changed.resolve();
      changed = Promise.withResolvers();
    }
  };
  const drained = Promise.all([read(process.stdout), read(process.stderr)]);
  const ended = async () => {
    const { code } = await process.status;
    await drained;
    return code;
  };
  return {
    process,
    output: () => text,
    async saw(wanted, limitMs = SAW_LIMIT_MS) {
      const find = () =>
        typeof wanted === "string"
          ? text.includes(wanted) ? wanted : undefined
          : wanted.exec(text)?.[0];
      const limit = Promise.withResolvers<"late">();
      const timer = setTimeout(() => limit.resolve("late"), limitMs);
      try {
        for (let over: "late" | "ended" | void = undefined;;) {
          const found = find();
          if (found !== undefined) return found;
          if (over === "ended") throw new Error(`it ended without "${wanted}": ${text}`);
          if (over === "late") {
            throw new Error(`it did not write "${wanted}" within ${limitMs} ms: ${text}`);
          }
          over = await Promise.race([
            changed.promise,
            drained.then(() => "ended" as const),
            limit.promise,
          ]);
        }
      } finally {
        clearTimeout(timer);
      }
    },
    ended,
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGKILL");
      } catch { // It has ended by itself.
      }
      await ended();
      await feeding;
    },
  };
}

/** A relay of its own, on free ports. */
export interface RelayProgram extends Program {
  readonly port: number;
  /** "http://127.0.0.1:1234/". */
  readonly url: string;
  readonly adminUrl: string;
  /** SHA-256 of its certificate, in hexadecimal. */
  readonly hash: string;
  /** Its certificate's file. */
  readonly certFile: string;
}

/** Starts `qumo-relay serve` and waits until it listens. */
export async function startRelay(
  flags: readonly string[] = [],
  options: StartOptions = {},
): Promise<RelayProgram> {
  const dir = await Deno.makeTempDir({ prefix: "qumo-relay-test-" });
  const program = start([
    "serve",
    ...["--server.address", "127.0.0.1:0", "--admin.address", "127.0.0.1:0"],
    ...["--server.cert_dir", dir, "--logging.format", "json", "--server.drain_timeout", "1s"],
    ...flags,
  ], options);
  try {
    await program.saw(/"message":"started".*\n/);
    const line = program.output().split("\n").find((l) => l.includes('"message":"started"'))!;
    const { listening, certificateSha256 } = JSON.parse(line);
    const port = Number(/HTTP 127\.0\.0\.1:(\d+)/.exec(listening)![1]);
    return {
      ...program,
      port,
      url: `http://127.0.0.1:${port}/`,
      adminUrl: `http://${/admin ([\d.:]+)/.exec(listening)![1]}`,
      hash: certificateSha256,
      certFile: `${dir}/dev.crt`,
      async [Symbol.asyncDispose]() {
        await program[Symbol.asyncDispose]();
        await Deno.remove(dir, { recursive: true });
      },
    };
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

/** ffmpeg's test picture and a tone as live fragmented MP4. Ended when it goes out of scope. */
export function testMedia(options: {
  readonly seconds?: number;
  readonly size?: string;
  readonly codecs?: string;
  /** As fast as it can instead of live. */
  readonly fast?: boolean;
} = {}): AsyncDisposable & { readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>> } {
  const { size = "640x360", seconds, fast = false } = options;
  const codecs = options.codecs ??
    "-c:v libx264 -preset ultrafast -tune zerolatency -g 30 -c:a libopus";
  const child = new Deno.Command("ffmpeg", {
    args: [
      ...["-v", "fatal", ...(fast ? [] : ["-re"])],
      ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=30`],
      ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"],
      ...(seconds === undefined ? [] : ["-t", String(seconds)]),
      ...[...codecs.split(" "), "-pix_fmt", "yuv420p", "-f", "mp4"],
      ...["-movflags", "cmaf+separate_moof+delay_moov+skip_trailer+frag_every_frame", "pipe:1"],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  return {
    stdout: child.stdout,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch { // It has ended by itself.
      }
      await child.status;
      if (!child.stdout.locked) await child.stdout.cancel();
    },
  };
}
