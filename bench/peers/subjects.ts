/**
 * The subjects of the comparison: our relay, the peer, and the floor. Each run starts a new child process.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";
import { freePort, killed } from "../../tests/support/borrowed.ts";
import { optional } from "../../tests/support/optional.ts";
import { startRelay } from "../../tests/support/program.ts";
import { fromFileUrl } from "../../tools/file_url.ts";
import { V8_FLAGS } from "../../tools/ship/v8_flags.ts";
import type { Shape } from "./shapes.ts";

export type SubjectName = "qumo-relay" | "moq-relay" | "floor";

/** A running relay. It ends when it goes out of scope. */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  /** For `qumo-relay bench`. */
  readonly url: string;
  readonly flags: readonly string[];
}

export interface Subject {
  readonly name: SubjectName;
  /** As the subject itself prints it. */
  readonly version: string;
  /** Whether it can be put under this load. */
  takes(shape: Shape): boolean;
  start(shape: Shape): Promise<Running>;
}

const ours = (version: string): Subject => ({
  name: "qumo-relay",
  version,
  takes: () => true,
  async start() {
    const relay = await startRelay(["--logging.level", "info"], { runFlags: [V8_FLAGS] });
    return {
      pid: relay.process.pid,
      url: relay.url,
      flags: [],
      [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
    };
  },
});

const FLOOR = fromFileUrl(new URL("../floor.ts", import.meta.url));

const floor = (version: string): Subject => ({
  name: "floor",
  version,
  takes: ({ transport, idle }) => transport === "quic" && !idle,
  async start({ fps, frameSize, groupSize }) {
    const args = [
      "--fps",
      `${fps}`,
      "--frame-size",
      `${frameSize}`,
      "--group-size",
      `${groupSize}`,
    ];
    const process = spawn(Deno.execPath(), ["run", "-A", FLOOR, ...args]);
    const { port, hash } = JSON.parse(await firstLine(process.stdout));
    return {
      pid: process.pid,
      url: `moqt://127.0.0.1:${port}/`,
      flags: ["--hash", hash, "--publishers", "0"],
      [Symbol.asyncDispose]: () => killed(process),
    };
  },
});

const peer = (path: string, version: string): Subject => ({
  name: "moq-relay",
  version,
  takes: () => true,
  async start() {
    const address = `127.0.0.1:${freePort()}`;
    const process = spawn(path, [
      ...["--listen", address, "--listen-tls-generate", "localhost,127.0.0.1"],
      ...["--web-http-listen", address, "--auth-public", "**", "--log-level", "warn"],
    ]);
    const drained = process.stdout.pipeTo(new WritableStream()).catch(() => {});
    await answers(`http://${address}/certificate.sha256`);
    return {
      pid: process.pid,
      url: `http://${address}/`,
      flags: [],
      async [Symbol.asyncDispose]() {
        await killed(process);
        await drained;
      },
    };
  },
});

/** All subjects that this machine has. */
export async function subjects(): Promise<Subject[]> {
  const found = [ours(await output(Deno.execPath(), ["run", "-A", MAIN, "version"]))];
  const { path } = optional("moq-relay");
  if (path !== undefined) {
    const version = await output(path, ["--version"]);
    found.push(peer(path, version.replace(/^moq-relay\s+/, "")));
  }
  found.push(floor(`Deno ${Deno.version.deno}`));
  return found;
}

/** The entry of our program. */
export const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

async function output(command: string, args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
  return new TextDecoder().decode(stdout).trim().split("\n")[0]!;
}

function spawn(command: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command(command, { args, stdin: "null", stdout: "piped", stderr: "null" })
    .spawn();
}

async function firstLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    const end = text.indexOf("\n");
    if (end !== -1) return text.slice(0, end);
  }
  throw new Error("it ended without a word");
}

async function answers(url: string): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      await (await fetch(url)).text();
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(100);
    }
  }
}
