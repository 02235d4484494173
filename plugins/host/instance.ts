/**
 * One instance of a plugin: loads it, runs it, and runs it again after a pause when it failed. Nothing that its code does
 * throws here.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { PluginKind, PluginState } from "../../base/plugin_kind.ts";
import type { Logger } from "../../base/logger.ts";
import { unlessAborted } from "../../base/bell.ts";
import { Backoff } from "../../base/backoff.ts";
import { sleep } from "../../base/sleep.ts";
import type { Client } from "../../client/mod.ts";
import {
  optionProblems,
  PluginLoadFailed,
  PluginTooSlow,
  PluginUnknown,
  safeReason,
} from "../errors.ts";
import type {
  Plugin,
  PluginContext,
  PluginDefinition,
  PluginHttp,
  PluginStats,
  RecordingDone,
} from "../plugin.ts";
import type { PluginReference } from "./registry.ts";
import type { MediaStore } from "../../storage/store.ts";
import type { StrayOwner } from "./strays.ts";

/** What the configuration says of an instance. */
export interface PluginSpec extends PluginReference {
  readonly name: string;
  readonly enabled: boolean;
  readonly options: Readonly<Record<string, unknown>>;
}

/** How an instance stands. */
export interface PluginStatus {
  readonly state: PluginState;
  /** Why it failed or stopped, or what the plugin says of itself. Holds no password of a URL. */
  readonly reason: string | undefined;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  /** How often it was started again. */
  readonly restarts: number;
}

/** What instances need from the server. */
export interface InstancePorts {
  readonly clock: Clock;
  readonly log: Logger;
  load(reference: PluginReference): Promise<PluginDefinition>;
  /** A client of the relay, over a connection of its own that the instance closes. */
  connect(name: string): Promise<Client>;
  /** The media store, shared by all instances; opened at the first call. */
  store(): Promise<MediaStore>;
  http(name: string, failed: (reason: string) => void): PluginHttp & Disposable;
  /** Runs plugin code: the owner hears of its stray failures. */
  run<T>(owner: StrayOwner, work: () => T): T;
  leave(owner: StrayOwner): void;
  readonly recorded: (instance: string, recording: RecordingDone) => void;
  readonly mayRead: PluginContext["mayRead"];
  readonly mayPublish: PluginContext["mayPublish"];
  readonly hold: PluginContext["hold"];
}

/** How long initialize() and stop() may take, in milliseconds. */
export const INITIALIZE_MS = 30_000;
export const STOP_MS = 5_000;
/** Pauses after a failure, before the next start. */
const PAUSE = { minMs: 1_000, maxMs: 60_000 } as const;

/** How a run has ended. */
interface Ending {
  readonly state: "failed" | "stopped";
  readonly reason: string | undefined;
  /** Another start would fail the same way. */
  readonly final: boolean;
}

export class PluginInstance {
  readonly spec: PluginSpec;
  readonly stats: PluginStats = newStats();
  /** As configured, and for certain once the plugin is loaded. */
  kind: PluginKind | undefined;
  plugin: string | undefined;
  readonly #ports: InstancePorts;
  readonly #log: Logger;
  readonly #backoff = new Backoff(PAUSE);
  readonly #stopping = new AbortController();
  #status: PluginStatus;
  #text: string | undefined;
  #over: Promise<void> | undefined;
  #restarts: number;

  /** @param restarts How often an instance of this name was started again before. */
  constructor(spec: PluginSpec, ports: InstancePorts, restarts = 0) {
    this.spec = spec;
    this.kind = spec.kind;
    this.plugin = spec.plugin;
    this.#ports = ports;
    this.#restarts = restarts;
    this.#log = ports.log.with({ plugin: spec.name });
    this.#status = this.#statusNow("starting");
  }

  get status(): PluginStatus {
    const { state, reason } = this.#status;
    return state === "running" ? { ...this.#status, reason: this.#text ?? reason } : this.#status;
  }

  /** Begins once `before` has settled, and goes on until {@link stop}. */
  start(before: Promise<void> = Promise.resolve()): void {
    this.#over ??= this.#live(before).catch((error) => {
      // Nothing above throws. If something does, the relay goes on without this instance.
      this.#set("failed", safeReason(error));
    });
  }

  /** Ends the instance. Fulfils within seconds, whatever the plugin does. Idempotent, never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#over;
    if (this.#status.state !== "stopped") this.#set("stopped");
  }

  async #live(before: Promise<void>): Promise<void> {
    await before;
    if (!this.spec.enabled) return this.#set("stopped", "it is not enabled");
    const { clock } = this.#ports;
    for (;;) {
      if (this.#stopping.signal.aborted) return this.#set("stopped");
      this.#set("starting");
      const startedAtMs = clock.now();
      const { state, reason, final } = await this.#once();
      if (this.#stopping.signal.aborted) return this.#set("stopped");
      this.#set(state, reason);
      if (final) return;
      this.#backoff.ended(clock.now() - startedAtMs);
      const waitMs = this.#backoff.next();
      this.#log.info("the plugin is started again after a pause", { waitMs });
      await sleep(waitMs, this.#stopping.signal, clock);
      this.#restarts++;
    }
  }

  /** One start, to its end. */
  async #once(): Promise<Ending> {
    let run: Run | undefined;
    try {
      const definition = await this.#loaded();
      this.kind = definition.kind;
      this.plugin = definition.name;
      run = await Run.begin(this.spec, this.#ports, {
        log: this.#log,
        stats: this.stats,
        stopping: this.#stopping.signal,
        status: (text) => this.#text = text === undefined ? undefined : safeReason(text),
      }, definition);
      await run.initialize();
      this.#set("running");
      await run.run();
      return { state: "stopped", reason: "it has finished", final: true };
    } catch (error) {
      const final = error instanceof PluginLoadFailed || error instanceof PluginUnknown ||
        optionProblems(error) !== undefined;
      return { state: "failed", reason: safeReason(error), final };
    } finally {
      await run?.end();
    }
  }

  /** Loads the plugin, with a limit: a module may wait for ever in its own code. */
  async #loaded(): Promise<PluginDefinition> {
    let definition: PluginDefinition | undefined;
    const loading = this.#ports.load(this.spec).then((loaded) => definition = loaded);
    const waiting = unlessAborted(loading, this.#stopping.signal);
    if (!await within(this.#ports.clock, INITIALIZE_MS, waiting)) {
      const seconds = INITIALIZE_MS / 1000;
      throw new PluginLoadFailed(`Cannot load the plugin: that has not ended within ${seconds} s`);
    }
    return definition!;
  }

  #statusNow(state: PluginState, reason?: string): PluginStatus {
    return { state, reason, sinceMs: this.#ports.clock.wallMs(), restarts: this.#restarts };
  }

  #set(state: PluginState, reason?: string): void {
    this.#text = undefined;
    this.#status = this.#statusNow(state, reason);
    if (state === "failed") this.#log.warn("the plugin failed", { reason });
    else this.#log.info(`the plugin is ${state}`, { reason });
  }
}

interface RunParts {
  readonly log: Logger;
  readonly stats: PluginStats;
  readonly stopping: AbortSignal;
  readonly status: (text: string | undefined) => void;
}

/** One start of an instance: the plugin's object, and what the relay lends to it. */
class Run {
  readonly #ports: InstancePorts;
  readonly #log: Logger;
  readonly #plugin: Plugin;
  readonly #context: PluginContext;
  readonly #http: PluginHttp & Disposable;
  readonly #client: Client;
  readonly #owner: StrayOwner;
  readonly #abort: AbortController;
  readonly #failed: Promise<never>;
  readonly #options: PluginSpec["options"];
  #running: Promise<unknown> = Promise.resolve();

  /** Connects to the relay and makes the object. @throws What keeps it from that. */
  static async begin(
    spec: PluginSpec,
    ports: InstancePorts,
    parts: RunParts,
    definition: PluginDefinition,
  ): Promise<Run> {
    const client = await ports.connect(spec.name);
    const http = ports.http(spec.name, (reason) => {
      parts.stats.errors++;
      parts.log.warn("an HTTP request failed", { reason });
    });
    try {
      return new Run(spec, ports, parts, { definition, client, http });
    } catch (error) {
      http[Symbol.dispose]();
      await client.close();
      throw error;
    }
  }

  private constructor(
    spec: PluginSpec,
    ports: InstancePorts,
    { log, stats, stopping, status }: RunParts,
    lent: {
      readonly definition: PluginDefinition;
      readonly client: Client;
      readonly http: PluginHttp & Disposable;
    },
  ) {
    this.#ports = ports;
    this.#log = log;
    this.#client = lent.client;
    this.#http = lent.http;
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => {}); // it may come when nobody waits any more
    this.#failed = failed.promise;
    this.#owner = {
      code: spec.module?.startsWith("file:") ? spec.module : undefined,
      stray: (thrown) => {
        stats.errors++;
        log.warn("the plugin let a failure go unnoticed", { reason: safeReason(thrown) });
        failed.reject(thrown);
      },
    };
    this.#abort = new AbortController();
    const stop = () => {
      this.#abort.abort();
      failed.reject(new Error("it was stopped"));
    };
    if (stopping.aborted) stop();
    else stopping.addEventListener("abort", stop, { signal: this.#abort.signal });
    void lent.client.closed.then(({ reason }) => {
      failed.reject(new Error(`the relay has closed its session: ${reason || "no reason given"}`));
    });
    this.#context = {
      name: spec.name,
      log,
      signal: this.#abort.signal,
      clock: ports.clock,
      stats,
      client: lent.client,
      http: lent.http,
      status,
      recorded: (recording) => ports.recorded(spec.name, recording),
      mayRead: ports.mayRead,
      mayPublish: ports.mayPublish,
      hold: ports.hold,
    };
    this.#plugin = ports.run(this.#owner, () => lent.definition.create());
    this.#options = spec.options;
  }

  /** @throws What the plugin throws. @throws {PluginTooSlow} */
  async initialize(): Promise<void> {
    // A copy: a plugin that changes its options does not change what the API shows.
    const options = structuredClone(this.#options);
    const done = this.#call(() => this.#plugin.initialize?.(this.#context, options));
    const seconds = INITIALIZE_MS / 1000;
    if (!await within(this.#ports.clock, INITIALIZE_MS, Promise.race([done, this.#failed]))) {
      throw new PluginTooSlow(`its initialize() has not ended within ${seconds} seconds`);
    }
  }

  /** Fulfils when the plugin has finished by itself. @throws What made it fail; when it was stopped, that. */
  async run(): Promise<void> {
    const store = await Promise.race([this.#ports.store(), this.#failed]);
    this.#running = this.#call(() => this.#plugin.run(this.#context, store));
    await Promise.race([this.#running, this.#failed]);
  }

  /** Stops the plugin and takes back what was lent. Never rejects. */
  async end(): Promise<void> {
    this.#abort.abort();
    const settled = this.#running.then(() => {}, () => {});
    if (!await within(this.#ports.clock, STOP_MS, settled)) {
      this.#log.warn("the plugin goes on although it was told to end; it is left to itself");
    }
    const stopped = this.#call(() => this.#plugin.stop?.(this.#context)).catch((error) => {
      this.#log.warn("the plugin's stop() failed", { reason: safeReason(error) });
    });
    if (!await within(this.#ports.clock, STOP_MS, stopped)) {
      this.#log.warn("the plugin's stop() has not ended in time; it is left to itself");
    }
    this.#ports.leave(this.#owner);
    this.#http[Symbol.dispose]();
    await this.#client.close();
  }

  /** Calls plugin code. A throw becomes a rejection. */
  async #call<T>(work: () => T | Promise<T>): Promise<T> {
    return await this.#ports.run(this.#owner, work);
  }
}

/** @returns Whether `work` was done in time. @throws What it throws until then. */
async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  let cancel = () => {};
  const late = new Promise<boolean>((resolve) => {
    cancel = clock.after(ms, () => resolve(false));
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    cancel();
    work.catch(() => {}); // it may still fail later
  }
}

function newStats(): PluginStats {
  return {
    framesIn: 0,
    bytesIn: 0,
    framesOut: 0,
    bytesOut: 0,
    skipped: 0,
    errors: 0,
    notServed: 0,
    latencyMs: -1,
  };
}
