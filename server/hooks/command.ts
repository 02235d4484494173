/**
 * Tells an event by running a command.
 *
 * @module
 */
import process from "node:process";
import { reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import type { HookConfig } from "../../config/hook_list.ts";
import type { HookEvent } from "./event.ts";
import { type Deliver, HookFailed } from "./hook.ts";

/** What of the relay's own environment a command gets; nothing else, for there may be secrets. */
const PASSED_ON = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];
/** Of its output, so much is logged. */
const LOGGED_BYTES = 4096;
/** A value of the environment is at most so long, in characters. */
const LONGEST_VALUE = 4096;
/** Between asking it to end and ending it. */
const KILL_AFTER_MS = 2000;
/** How long the rest of its output may take, once it has ended. */
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
        // A group of its own: what it starts is killed with it.
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
    // Nothing it started stays behind, and keeps its output open.
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

/** A command and all it has started. */
class ProcessGroup {
  readonly #child: Deno.ChildProcess;
  readonly #complain: (error: unknown) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param complain Told why the group could not be signalled. */
  constructor(child: Deno.ChildProcess, complain: (error: unknown) => void) {
    this.#child = child;
    this.#complain = complain;
  }

  /** Asks it to end, and soon sees to that. */
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

  /** Its own process can always be ended: that asks for no permission. */
  #sendToIt(signal: "SIGTERM" | "SIGKILL"): void {
    try {
      this.#child.kill(signal);
    } catch { // It has ended by itself.
    }
  }
}

/** Reads a stream so that its writer never waits, and keeps its beginning. */
class Output {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #done: Promise<void>;
  #kept = new Uint8Array(0);

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.#done = this.#read().catch(() => {});
  }

  /** Its text so far. Called once the writer is gone. */
  async end(): Promise<string> {
    // What left the group may hold it open.
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

/** What a command is told. Values are without control characters: a peer chooses the name of its broadcast. */
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

/** Control and formatting characters, and halves of characters, become U+FFFD. */
function cleaned(value: string): string {
  return value.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd")
    .slice(0, LONGEST_VALUE).toWellFormed();
}
