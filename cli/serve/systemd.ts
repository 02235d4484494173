/**
 * What a service manager is told (sd_notify(3)): ready, stopping, alive, and a line for `systemctl status`. Plain datagrams to
 * the socket in NOTIFY_SOCKET; without that variable nothing happens.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";

/** How often the line of `systemctl status` may change, in milliseconds. */
const STATUS_MS = 5000;

export interface ServiceManagerOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly logger: Logger;
  /** The line that `systemctl status` shows. */
  readonly status: () => string;
}

/** Tells the service manager how the program fares. A failed message is logged once and never takes the program down. */
export class ServiceManager implements Disposable {
  readonly #options: ServiceManagerOptions;
  readonly #socket: Deno.DatagramConn | undefined;
  readonly #target: Deno.UnixAddr | undefined;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #sending: Promise<void> = Promise.resolve();
  #lastStatus = "";
  #complained = false;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    const path = options.env["NOTIFY_SOCKET"];
    if (!path) return;
    try {
      this.#target = { transport: "unixpacket", path: socketPath(path) };
      this.#socket = openSocket();
    } catch (error) {
      this.#complain(error);
    }
  }

  /** The program listens, or goes on with what it has read again. The first call starts the signs of life. */
  ready(): void {
    if (this.#socket === undefined) return;
    this.#lastStatus = this.#options.status();
    this.#send(`READY=1\nSTATUS=${this.#lastStatus}`);
    if (this.#timers.length > 0) return;
    const intervalMs = watchdogIntervalMs(this.#options.env, this.#options.pid);
    if (intervalMs !== undefined) {
      // A timer of the event loop that carries the media: a loop that hangs is found out.
      this.#timers.push(setInterval(() => this.#send("WATCHDOG=1"), intervalMs));
    }
    this.#timers.push(setInterval(() => this.#refreshStatus(), STATUS_MS));
    for (const timer of this.#timers) Deno.unrefTimer(timer);
  }

  /** Files are being read again; {@link ready} ends it. */
  reloading(): void {
    if (this.#socket === undefined) return;
    this.#lastStatus = "Reloading";
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${monotonicUs()}\nSTATUS=Reloading`);
  }

  /** The program is on its way to the end. */
  stopping(): void {
    this.#send("STOPPING=1\nSTATUS=Draining");
    this.#lastStatus = "Draining";
  }

  /** Settles when all that was said so far is sent. */
  get sent(): Promise<void> {
    return this.#sending;
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#socket?.close();
  }

  #refreshStatus(): void {
    const status = this.#options.status();
    if (this.#lastStatus === "Draining" || status === this.#lastStatus) return;
    this.#lastStatus = status;
    this.#send(`STATUS=${status}`);
  }

  #send(message: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const bytes = new TextEncoder().encode(message);
    this.#sending = this.#sending.then(() => socket.send(bytes, this.#target!))
      .then(() => {}, (error) => this.#complain(error));
  }

  #complain(error: unknown): void {
    if (this.#complained) return;
    this.#complained = true;
    const reason = reasonOf(error);
    this.#options.logger.warn("the service manager cannot be told how this program fares", {
      reason,
    });
  }
}

function openSocket(): Deno.DatagramConn {
  try {
    // An empty path lets Linux choose an abstract address: nothing to remove afterwards.
    return Deno.listenDatagram({ transport: "unixpacket", path: "" });
  } catch {
    // Deno has that only for a program that may do everything, and says no more than "Empty path is not allowed".
  }
  // Nobody answers, so the name can go at once.
  const folder = Deno.makeTempDirSync({ prefix: "qumo-relay-" });
  try {
    return Deno.listenDatagram({ transport: "unixpacket", path: `${folder}/notify` });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The path as the system takes it: an abstract address is written with "@" and begins with a zero byte. */
function socketPath(path: string): string {
  if (path.startsWith("@")) return `\0${path.slice(1)}`;
  if (path.startsWith("/")) return path;
  throw new RangeError(`NOTIFY_SOCKET is neither a path nor an abstract address: ${path}`);
}

/** How often a sign of life is due: half of WATCHDOG_USEC, in milliseconds; `undefined` when none is asked of this process. */
export function watchdogIntervalMs(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): number | undefined {
  const { WATCHDOG_USEC, WATCHDOG_PID } = env;
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(pid)) return undefined;
  const us = WATCHDOG_USEC !== undefined && /^\d+$/.test(WATCHDOG_USEC) ? Number(WATCHDOG_USEC) : 0;
  return us > 0 ? Math.max(1, Math.floor(us / 2000)) : undefined;
}

/**
 * Microseconds since the system has booted, at least as many as CLOCK_MONOTONIC shows, which no program can ask for here: by
 * them the service manager tells this reload from an earlier one. `/proc/uptime` counts in hundredths of a second; only a program
 * that may do everything can read it, and another one is told whole seconds.
 */
function monotonicUs(): number {
  try {
    const [uptime = "0"] = Deno.readTextFileSync("/proc/uptime").split(" ");
    return Math.ceil((Number(uptime) + 0.01) * 1e6);
  } catch {
    return (Deno.osUptime() + 1) * 1e6;
  }
}

/** The variables of the service manager; removed, so that no child process takes them for its own. */
export function takeServiceEnv(): Record<string, string | undefined> {
  const names = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];
  const env = Object.fromEntries(names.map((name) => [name, Deno.env.get(name)]));
  for (const name of names) Deno.env.delete(name);
  return env;
}
