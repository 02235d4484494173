import { killed } from "../../support/borrowed.ts";
import { type RelayProgram, startRelay } from "../../support/program.ts";
import { until } from "../../support/server.ts";
import type { ClusterView } from "../../../server/cluster/cluster_view.ts";

interface BroadcastView {
  readonly path: string;
  readonly publishers: readonly { readonly lingering: boolean }[];
}

/** No step of a drill is slower than this, on the busiest machine. */
export const LIMIT_MS = 60_000;

export interface NodeOptions {
  readonly name: string;
  /** UDP and TCP. It stays the same over restarts. */
  readonly port: number;
  /** Further flags of `qumo-relay serve`. */
  readonly flags: readonly string[];
  /** Flags of `deno run`. */
  readonly runFlags?: readonly string[];
}

/** A relay that clients dial. */
export interface Site {
  readonly name: string;
  /** "http://127.0.0.1:1234/": who dials it asks for the hash of its certificate first. */
  readonly url: string;
}

/** One relay of a cluster, as a process of its own. It can be killed, stopped and started again on the same port. */
export class ClusterNode implements Site, AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  readonly #flags: readonly string[];
  readonly #runFlags: readonly string[];
  readonly #certDir: string;
  #program: RelayProgram | undefined;

  private constructor({ name, port, flags, runFlags = [] }: NodeOptions, certDir: string) {
    this.name = name;
    this.port = port;
    this.url = `http://127.0.0.1:${port}/`;
    this.#flags = flags;
    this.#runFlags = runFlags;
    this.#certDir = certDir;
  }

  /** Starts it and waits until it listens. */
  static async start(options: NodeOptions): Promise<ClusterNode> {
    const node = new ClusterNode(options, await Deno.makeTempDir({ prefix: "qumo-cluster-test-" }));
    await node.start();
    return node;
  }

  /** Starts it again after its end, with the same certificate. */
  async start(): Promise<void> {
    this.#program = await startRelay([
      ...["--server.address", `127.0.0.1:${this.port}`, "--server.cert_dir", this.#certDir],
      ...this.#flags,
    ], { runFlags: this.#runFlags });
  }

  get running(): boolean {
    return this.#program !== undefined;
  }

  get pid(): number {
    return this.#running.process.pid;
  }

  /** SHA-256 of its certificate, in hexadecimal. */
  get hash(): string {
    return this.#running.hash;
  }

  /** All that it has logged since it was started. */
  get log(): string {
    return this.#program?.output() ?? "";
  }

  /** `kill -9`. Fulfils when the process is gone. */
  async kill(): Promise<void> {
    const program = this.#running;
    this.#program = undefined;
    await killed(program.process);
    await program[Symbol.asyncDispose]();
  }

  /** SIGSTOP: it lives and does nothing. */
  freeze(): void {
    this.#running.process.kill("SIGSTOP");
  }

  /** SIGCONT. */
  thaw(): void {
    this.#running.process.kill("SIGCONT");
  }

  /** SIGTERM: it drains. @returns Its exit code, when it has ended by itself. */
  async end(): Promise<number> {
    const program = this.#running;
    program.process.kill("SIGTERM");
    const code = await program.ended();
    this.#program = undefined;
    await program[Symbol.asyncDispose]();
    return code;
  }

  /** JSON of its admin API. */
  async api<T>(path: string): Promise<T> {
    const answer = await fetch(this.#running.adminUrl + path);
    if (!answer.ok) throw new Error(`${this.name}: ${path}: ${answer.status}`);
    return await answer.json() as T;
  }

  /** What it knows of the cluster. */
  cluster(): Promise<ClusterView> {
    return this.api("/api/v1/cluster");
  }

  /** Waits until it says that it is ready: its links to upstream relays stand. */
  async ready(): Promise<void> {
    await until(
      async () => {
        const answer = await fetch(`${this.#running.adminUrl}/ready`);
        await answer.body?.cancel();
        return answer.ok;
      },
      `${this.name} to be ready`,
      LIMIT_MS,
    );
  }

  /** How many publishers it knows of a broadcast, without those that it has lost. */
  async publishers(path: string): Promise<number> {
    const { broadcasts } = await this.api<{ broadcasts: BroadcastView[] }>(
      `/api/v1/broadcasts?prefix=${encodeURIComponent(path)}`,
    );
    const publishers = broadcasts.find((one) => one.path === path)?.publishers ?? [];
    return publishers.filter(({ lingering }) => !lingering).length;
  }

  /** A counter or gauge of its metrics, summed over labels; with labels, that one. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.#running.adminUrl}/metrics`)).text();
    return text.split("\n")
      .filter((line) => line.startsWith(name) && /^[ {]/.test(line.slice(name.length)))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#program !== undefined) await this.kill();
    await Deno.remove(this.#certDir, { recursive: true });
  }

  get #running(): RelayProgram {
    if (this.#program === undefined) throw new Error(`${this.name} does not run`);
    return this.#program;
  }
}
