/** The load of honest peers: `qumo-relay bench` as a process of its own. */
import type { BenchResult } from "../../load/figures/result.ts";
import { MAIN } from "../../tests/support/program.ts";

export interface HonestOptions {
  readonly url: string;
  readonly hash?: string;
  readonly prefix: string;
  readonly viewers: number;
}

/** What {@link HonestLoad} publishes: groups of 10 frames, three a second, on one track. */
const LOAD = ["--fps", "30", "--frame-size", "1200", "--group-size", "10", "--ramp", "1s"];

/** It is killed when it goes out of scope. */
export class HonestLoad implements AsyncDisposable {
  readonly broadcast: string;
  readonly track = "track0";
  readonly #process: Deno.ChildProcess;
  readonly #output: Promise<Deno.CommandOutput>;

  constructor({ url, hash, prefix, viewers }: HonestOptions) {
    this.broadcast = `${prefix}/0`;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--unstable-net", MAIN, "bench", url, "--json", "--duration", "1h"],
        ...["--prefix", prefix, "--viewers", String(viewers), "--workers", "1", ...LOAD],
        ...(hash === undefined ? [] : ["--hash", hash]),
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#output = this.#process.output();
  }

  /** Ends the load and reports how much of it arrived. @throws {Error} It could not measure. */
  async end(): Promise<BenchResult> {
    this.#process.kill("SIGTERM");
    const { code, stdout, stderr } = await this.#output;
    const decoder = new TextDecoder();
    if (code !== 0) throw new Error(`the honest load failed: ${decoder.decode(stderr)}`);
    return JSON.parse(decoder.decode(stdout));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch { // It has ended by itself.
    }
    await this.#output;
  }
}
