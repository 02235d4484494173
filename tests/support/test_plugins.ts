/**
 * A relay with a supervisor and no sockets, and plugins made of a few functions, for tests.
 *
 * @module
 */
import type { LogFields, Logger } from "../../base/logger.ts";
import { Client } from "../../client/mod.ts";
import { RelayUnderTest, until } from "./fixtures/http.ts";
import { memoryPair } from "../../transport/memory/memory.ts";
import type { PluginSpec } from "../../plugins/host/instance.ts";
import type { PluginKind } from "../../base/plugin_kind.ts";
import type { Plugin, PluginDefinition, PluginEntry } from "../../plugins/plugin.ts";
import { PluginRegistry } from "../../plugins/host/registry.ts";
import { PluginRoutes } from "../../plugins/host/routes.ts";
import type { MediaStore } from "../../storage/store.ts";
import { Supervisor } from "../../plugins/host/supervisor.ts";

/** A placeholder that no test reads. */
const NO_STORE = { type: "none" } as unknown as MediaStore;

export class SupervisorUnderTest implements AsyncDisposable {
  readonly under = new RelayUnderTest();
  readonly clock = this.under.clock;
  readonly registry = new PluginRegistry([]);
  readonly routes = new PluginRoutes({ reserved: ["fetch"] });
  readonly log: string[] = [];
  readonly supervisor: Supervisor;

  constructor() {
    this.supervisor = new Supervisor({
      registry: this.registry,
      routes: this.routes,
      clock: this.clock,
      log: recorder(this.log),
      store: () => Promise.resolve(NO_STORE),
      connect: async (name) => {
        const [ours, theirs] = memoryPair({
          protocol: "moq-lite-06",
          windowBytes: 1 << 20,
          remotes: ["relay", `plugin:${name}`],
        });
        void this.under.relay.accept(theirs);
        return await Client.over(ours, { clock: this.clock });
      },
      recorded: () => {},
      mayRead: () => Promise.resolve(true),
      mayPublish: () => Promise.resolve(true),
      hold: () => Promise.resolve({ lost: new AbortController().signal, end() {} }),
    });
  }

  /** Starts an instance of a plugin made of these parts; the others do nothing, `run` waits for the end. */
  start(name: string, parts: Partial<Plugin>, options: PluginSpec["options"] = {}): void {
    this.registry.add(entryOf("ingress", name, () => plugin(parts)));
    this.supervisor.put({ name, plugin: name, enabled: true, options });
  }

  /** Waits until an instance is in a state, and has been started again this often. */
  async reaches(name: string, state: string, restarts?: number): Promise<void> {
    await until(() => {
      const { status } = this.supervisor.get(name)!;
      return status.state === state && (restarts === undefined || status.restarts === restarts);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor.stop();
    await this.under[Symbol.asyncDispose]();
  }
}

/** A plugin that only waits for its end, except for these parts. */
export function plugin(parts: Partial<Plugin>): Plugin {
  return { run: ({ signal }) => ended(signal), ...parts };
}

/** A plugin that accepts any options. */
export function entryOf(
  kind: PluginKind,
  name: string,
  create: () => Plugin,
  summary = "",
): PluginEntry {
  const options = { schema: { type: "object" }, read: (given: unknown) => given };
  const definition: PluginDefinition = { kind, name, summary, options, create };
  return { kind, name, load: () => Promise.resolve(definition) };
}

/** Fulfils when it aborts. */
export function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function recorder(lines: string[], base: LogFields = {}): Logger {
  const add = (level: string) => (message: string, fields?: LogFields) => {
    lines.push(`${level} ${message} ${JSON.stringify({ ...base, ...fields })}`);
  };
  return {
    debug: add("debug"),
    info: add("info"),
    warn: add("warn"),
    error: add("error"),
    with: (fields) => recorder(lines, { ...base, ...fields }),
  };
}
