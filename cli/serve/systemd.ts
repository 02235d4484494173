/**
 * Notifies a service manager (sd_notify(3)): ready, stopping, alive, and a line for `systemctl status`. It sends plain
 * datagrams to the socket in NOTIFY_SOCKET. Without that variable it does nothing.
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
  /** The line in `systemctl status`. */
  readonly status: () => string;
}

/** Tells the service manager the state of the program. A failed message is logged once. */
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

  /** The program listens, or a reload is done. The first call starts the signs of life. */
  ready(): void {
    if (this.#socket === undefined) return;
    this.#lastStatus = this.#options.status();
    this.#send(`READY=1\nSTATUS=${this.#lastStatus}`);
    if (this.#timers.length > 0) return;
    const intervalMs = watchdogIntervalMs(this.#options.env, this.#options.pid);
    if (intervalMs !== undefined) {
      // A timer of the event loop that carries the media: the service manager notices when the loop hangs.
      this.#timers.push(setInterval(() => this.#send("WATCHDOG=1"), intervalMs));
    }
    this.#timers.push(setInterval(() => this.#refreshStatus(), STATUS_MS));
    for (const timer of this.#timers) Deno.unrefTimer(timer);
  }

  /** A reload has begun; {@link ready} ends it. */
  reloading(): void {
    if (this.#socket === undefined) return;
    this.#lastStatus = "Reloading";
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${monotonicUs()}\nSTATUS=Reloading`);
  }

  /** The program is stopping. */
  stopping(): void {
    this.#send("STOPPING=1\nSTATUS=Draining");
    this.#lastStatus = "Draining";
  }

  /** Settles when all messages so far are sent. */
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
  // There is no answer, so the name can be removed at once.
  const folder = Deno.makeTempDirSync({ prefix: "qumo-relay-" });
  try {
    return Deno.listenDatagram({ transport: "unixpacket", path: `${folder}/notify` });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The path for the system: "@" stands for the zero byte of an abstract address. */
function socketPath(path: string): string {
  if (path.startsWith("@")) return `\0${path.slice(1)}`;
  if (path.startsWith("/")) return path;
  throw new RangeError(`NOTIFY_SOCKET is neither a path nor an abstract address: ${path}`);
}

/** The interval of signs of life in milliseconds: half of WATCHDOG_USEC; `undefined` when this process needs none. */
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
 * Microseconds since the boot of the system, at least as many as CLOCK_MONOTONIC, which Deno does not have. The service
 * manager tells this reload from an earlier one by them. `/proc/uptime` has hundredths of a second, and needs all permissions;
 * without them there are whole seconds.
 */
function monotonicUs(): number {
  try {
    const [uptime = "0"] = Deno.readTextFileSync("/proc/uptime").split(" ");
    return Math.ceil((Number(uptime) + 0.01) * 1e6);
  } catch {
    return (Deno.osUptime() + 1) * 1e6;
  }
}

/** Takes the variables of the service manager from the environment, so that child processes do not use them. */
export function takeServiceEnv(): Record<string, string | undefined> {
  const names = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];
  const env = Object.fromEntries(names.map((name) => [name, Deno.env.get(name)]));
  for (const name of names) Deno.env.delete(name);
  return env;
}
