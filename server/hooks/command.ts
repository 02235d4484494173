/**
 * Sends an event to a command, which is run for it.
 *
 * @module
 */
import process from "node:process";
import { reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import type { HookConfig } from "../../config/hook_list.ts";
import type { HookEvent } from "./event.ts";
import { type Deliver, HookFailed } from "./hook.ts";

/** The variables of the relay's environment that a command gets. Others may hold secrets. */
const PASSED_ON = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];
/** How much of its output is logged. */
const LOGGED_BYTES = 4096;
/** Longest value of a variable, in characters. */
const LONGEST_VALUE = 4096;
/** How long it has to end by itself before it is killed. */
const KILL_AFTER_MS = 2000;
/** How long the rest of its output may take after its end. */
const OUTPUT_MS = 500;

/** Runs the command of a hook. `config` has a `command`. */
export function command(config: HookConfig, log: Logger): Deliver {
  const [program, ...args] = config.command as [string, ...string[]];
  const complain = once((error: unknown) =>
    log.warn("what a hook's command has started may go on: its group cannot be ended", {
      program,
      reason: reasonOf(error),
    })
  );
  return async (event, signal) => {
    signal.throwIfAborted();
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(program, {
        args,
        clearEnv: true,
        env: environmentOf(event),
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        // A process group of its own, so that what it starts is killed with it.
        detached: true,
      }).spawn();
    } catch (cause) {
      throw new HookFailed(`Cannot run ${program}: ${reasonOf(cause)}`, false, { cause });
    }
    const group = new ProcessGroup(child, complain);
    await outcome(child, { program, event, signal, log, group, timeoutMs: config.timeoutMs });
  };
}

interface Running {
  readonly program: string;
  readonly event: HookEvent;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly group: ProcessGroup;
  readonly timeoutMs: number;
}

/** The first call counts. */
function once<T>(call: (value: T) => void): (value: T) => void {
  let called = false;
  return (value) => {
    if (!called) call(value);
    called = true;
  };
}

async function outcome(child: Deno.ChildProcess, running: Running): Promise<void> {
  const { program, event, signal, log, group, timeoutMs } = running;
  const outputs = [new Output(child.stdout), new Output(child.stderr)];
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    group.end();
  }, timeoutMs);
  const stop = () => group.kill();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const { code, signal: killed } = await child.status;
    // Processes it started would keep its output open.
    group.kill();
    const [stdout, stderr] = await Promise.all(outputs.map((output) => output.end()));
    const fields = { event: event.event, broadcast: event.broadcast };
    log.debug("a hook's command has ended", { ...fields, code, stdout, stderr });
    if (late) {
      throw new HookFailed(`${program} was killed: it ran longer than ${timeoutMs} ms`, false);
    }
    if (signal.aborted) throw new HookFailed(`${program} was killed: the relay ends`, false);
    if (killed !== null) throw new HookFailed(`${program} was ended by ${killed}`, false);
    if (code !== 0) throw new HookFailed(`${program} ended with code ${code}`, false);
  } finally {
    clearTimeout(limit);
    signal.removeEventListener("abort", stop);
    group.over();
  }
}

/** A command and everything it has started. */
class ProcessGroup {
  readonly #child: Deno.ChildProcess;
  readonly #complain: (error: unknown) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param complain Called with the reason when the group cannot be signalled. */
  constructor(child: Deno.ChildProcess, complain: (error: unknown) => void) {
    this.#child = child;
    this.#complain = complain;
  }

  /** Asks it to end, and kills it if it does not. */
  end(): void {
    this.#send("SIGTERM");
    this.#timer ??= setTimeout(() => this.kill(), KILL_AFTER_MS);
  }

  kill(): void {
    this.#send("SIGKILL");
  }

  over(): void {
    clearTimeout(this.#timer);
  }

  #send(signal: "SIGTERM" | "SIGKILL"): void {
    const { pid } = this.#child;
    try {
      process.kill(Deno.build.os === "windows" ? pid : -pid, signal);
    } catch (error) {
      if ((error as { code?: unknown }).code === "ESRCH") return; // all of it has ended
      this.#complain(error);
      this.#sendToIt(signal);
    }
  }

  /** Ending one's own child process needs no permission. */
  #sendToIt(signal: "SIGTERM" | "SIGKILL"): void {
    try {
      this.#child.kill(signal);
    } catch { // it has ended by itself
    }
  }
}

/** Reads a stream to its end, so that its writer never waits. Keeps only the beginning. */
class Output {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #done: Promise<void>;
  #kept = new Uint8Array(0);

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.#done = this.#read().catch(() => {});
  }

  /** The text so far. Call it when the writer is gone. */
  async end(): Promise<string> {
    // A process that has left the group may keep it open.
    const timer = Promise.withResolvers<void>();
    const limit = setTimeout(timer.resolve, OUTPUT_MS);
    await Promise.race([this.#done, timer.promise]);
    clearTimeout(limit);
    await this.#reader.cancel().catch(() => {});
    return new TextDecoder().decode(this.#kept);
  }

  async #read(): Promise<void> {
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) return;
      const room = LOGGED_BYTES - this.#kept.length;
      if (room <= 0) continue;
      const more = value.subarray(0, room);
      const kept = new Uint8Array(this.#kept.length + more.length);
      kept.set(this.#kept);
      kept.set(more, this.#kept.length);
      this.#kept = kept;
    }
  }
}

/** The variables that describe an event. A peer chooses the broadcast's name, so control characters are removed. */
function environmentOf(event: HookEvent): Record<string, string> {
  const env: Record<string, string> = {
    QUMO_EVENT: event.event,
    QUMO_EVENT_ID: event.id,
    QUMO_BROADCAST: event.broadcast,
    QUMO_AT: event.at,
    QUMO_RELAY: event.relay,
  };
  if (event.recording !== undefined) {
    const { plugin, location, bytes } = event.recording;
    env["QUMO_RECORDING_PLUGIN"] = plugin;
    env["QUMO_RECORDING"] = location;
    env["QUMO_RECORDING_BYTES"] = String(bytes);
  }
  for (const [name, value] of Object.entries(env)) env[name] = cleaned(value);
  for (const name of PASSED_ON) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** Replaces control and formatting characters and lone surrogates by U+FFFD. */
function cleaned(value: string): string {
  return value.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd")
    .slice(0, LONGEST_VALUE).toWellFormed();
}
