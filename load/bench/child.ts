import { QumoError } from "../../base/errors.ts";
import { lines } from "./lines.ts";
import type { AnswerTo, Reply, Request } from "./messages.ts";

/** A worker of the generator failed, or ended too early. */
export class WorkerFailed extends QumoError {
  readonly code = "QUMO_BENCH_WORKER";
}

/** The hidden first argument of `bench` that makes a process a worker. */
export const WORKER_ARG = "--worker";

/** A worker process, seen from the coordinator. Killed when it goes out of scope. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #replies: AsyncGenerator<string, void>;
  #turn: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [...programArgs(), "bench", WORKER_ARG],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#replies = lines(this.#process.stdout);
  }

  /** Sends one request and waits for its answer. Requests wait for each other. @throws {WorkerFailed} */
  ask<R extends Request>(request: R): Promise<AnswerTo<R>> {
    const answered = this.#turn.then(() => this.#ask(request));
    this.#turn = answered.catch(() => {});
    return answered;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch { // It has ended by itself.
    }
    await this.#writer.close().catch(() => {});
    await this.#replies.return();
    await this.#process.status;
  }

  async #ask<R extends Request>(request: R): Promise<AnswerTo<R>> {
    try {
      await this.#writer.write(new TextEncoder().encode(JSON.stringify(request) + "\n"));
    } catch (cause) {
      throw new WorkerFailed("A worker of the load generator ended before its time", { cause });
    }
    const { value, done } = await this.#replies.next();
    if (done) throw new WorkerFailed("A worker of the load generator ended before its time");
    const reply: Reply = JSON.parse(value);
    if ("error" in reply) throw new WorkerFailed(reply.error);
    return reply.answer as AnswerTo<R>;
  }
}

/** The command that starts this program again: from source, from one bundled file, or as a compiled binary. */
function programArgs(): string[] {
  const { standalone } = Deno.build as { readonly standalone?: boolean };
  return standalone ? [] : ["run", "-A", "--unstable-net", Deno.mainModule];
}
