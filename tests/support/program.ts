/**
 * This program as child processes: what a user starts, with its arguments, its output and its exit code.
 *
 * @module
 */
import { killed } from "./borrowed.ts";
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
      await killed(process);
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

/** What a relay on 127.0.0.1 has logged of itself; `undefined` before it has. */
export function startedIn(
  log: string,
): Pick<RelayProgram, "port" | "url" | "adminUrl" | "hash"> | undefined {
  const line = log.split("\n").find((l) => l.includes('"message":"started"') && l.endsWith("}"));
  if (line === undefined) return undefined;
  const { listening, certificateSha256 } = JSON.parse(line);
  const port = Number(/HTTP 127\.0\.0\.1:(\d+)/.exec(listening)![1]);
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    adminUrl: `http://${/admin ([\d.:]+)/.exec(listening)![1]}`,
    hash: certificateSha256,
  };
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
    return {
      ...program,
      ...startedIn(program.output())!,
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
