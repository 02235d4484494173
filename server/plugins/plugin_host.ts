/**
 * The plugins of a server: the configured instances. Each has a client that is connected in memory and its HTTP paths; all
 * share the store.
 *
 * @module
 */
import { MAX_RENDITIONS } from "../../media/hang/catalog_json.ts";
import type { Logger } from "../../base/logger.ts";
import { Client } from "../../client/mod.ts";
import { DEFAULT_FILE, type LoadedConfig } from "../../config/load.ts";
import type { PluginConfig } from "../../config/plugin_list.ts";
import { logProblems, type Problem } from "../../config/problems.ts";
import type { PluginNumbers } from "../../metrics/snapshot.ts";
import { optionProblems, safeReason } from "../../plugins/errors.ts";
import type { PluginSpec } from "../../plugins/host/instance.ts";
import type { RecordingDone } from "../../plugins/plugin.ts";
import { PluginRegistry } from "../../plugins/host/registry.ts";
import { PluginRoutes } from "../../plugins/host/routes.ts";
import type { MediaStore } from "../../storage/store.ts";
import type { Strays } from "../../plugins/host/strays.ts";
import { Supervisor } from "../../plugins/host/supervisor.ts";
import { memoryPair } from "../../transport/memory/memory.ts";
import { alpnOf, VERSIONS } from "../../wire/versions.ts";
import { type Admits, pluginAccess, type PluginRequests } from "./plugin_access.ts";
import type { Relay } from "../relay.ts";

export interface PluginHostOptions {
  readonly relay: Relay;
  readonly loaded: LoadedConfig;
  readonly log: Logger;
  /** Where media is kept; its owner closes it. */
  readonly store: MediaStore;
  /** Decides on HTTP requests to plugins. */
  readonly admit: Admits;
  /** Called when an instance has finished a recording. */
  readonly recorded: (instance: string, recording: RecordingDone) => void;
  /** Watches for failures that no code handles. Default: the supervisor's own. */
  readonly strays?: Strays;
  /** Default: the plugins of the program. */
  readonly registry?: PluginRegistry;
}

/** First segments of paths of the public HTTP. Plugins cannot have them. */
const RESERVED = [
  ...["health", "certificate.sha256", "announced", "fetch", "api", "index.html", "assets", "dvr"],
];

/**
 * Limits of a connection in memory: a window for a large key frame, and streams for all broadcasts of one instance, each with
 * its catalog and renditions. Waiting for a stream would give no error.
 */
const LINK = {
  protocol: alpnOf("moq-lite-06"),
  windowBytes: 1 << 20,
  maxUniStreams: 8_192,
  maxBidiStreams: 1_000 * (MAX_RENDITIONS + 2),
} as const;

/** Groups kept per track of a plugin: more than a second of audio with one frame per group. */
const GROUPS_KEPT = 64;

export class PluginHost {
  readonly registry: PluginRegistry;
  readonly routes: PluginRoutes;
  readonly supervisor: Supervisor;
  /** Requests that plugins are answering. */
  readonly requests: PluginRequests = new WeakMap();
  readonly #options: PluginHostOptions;
  #modules: ReadonlySet<string> = new Set();

  constructor(options: PluginHostOptions) {
    const { relay, loaded, log } = options;
    this.#options = options;
    this.registry = options.registry ?? new PluginRegistry();
    this.routes = new PluginRoutes({
      reserved: RESERVED,
      ...(loaded.config.server.http ? {} : { off: "server.http is off" }),
    });
    this.supervisor = new Supervisor({
      registry: this.registry,
      routes: this.routes,
      clock: relay.context.clock,
      log,
      connect: (name) => this.#connect(name),
      store: () => Promise.resolve(options.store),
      recorded: options.recorded,
      ...(options.strays === undefined ? {} : { strays: options.strays }),
      ...pluginAccess({
        admit: options.admit,
        answers: relay.answers,
        requests: this.requests,
      }),
    });
  }

  /** Relative modules are relative to this file. */
  get file(): string {
    return this.#options.loaded.file ?? DEFAULT_FILE;
  }

  /** Modules in the configuration. HTTP requests cannot load others. */
  get modules(): ReadonlySet<string> {
    return this.#modules;
  }

  /**
   * Applies the instances of a configuration; see {@link Supervisor.apply}. A problem is logged with its place, and the other
   * instances run.
   */
  async apply(plugins: readonly PluginConfig[]): Promise<void> {
    this.#modules = new Set(plugins.flatMap(({ module }) => module ?? []));
    void checkPlugins(plugins, this.registry).then((problems) => {
      logProblems(this.#options.log, "the relay runs without a plugin", problems);
    });
    await this.supervisor.apply(plugins.map(specOf));
  }

  /** Numbers of each instance, for the metrics. */
  numbers(): PluginNumbers[] {
    return this.supervisor.list().map(({ spec, kind, plugin, status, stats }) => ({
      name: spec.name,
      kind: kind ?? "",
      plugin: plugin ?? "",
      state: status.state,
      restarts: status.restarts,
      stats: { ...stats },
    }));
  }

  /** Stops every instance. Fulfils within some seconds, never rejects. */
  async stop(): Promise<void> {
    await this.supervisor.stop();
  }

  async #connect(name: string): Promise<Client> {
    const { relay, log } = this.#options;
    const [ours, theirs] = memoryPair({ ...LINK, remotes: ["relay", `plugin:${name}`] });
    // Plugins need timestamps: they speak all versions, also those that are off for others.
    void relay.accept(theirs, undefined, { versions: VERSIONS, unlimited: true, internal: true });
    return await Client.over(ours, {
      clock: relay.context.clock,
      log: log.with({ plugin: name }),
      groupCacheSize: GROUPS_KEPT,
    });
  }
}

/** Converts an instance of the configuration for the supervisor. */
export function specOf({ name, kind, plugin, module, enabled, options }: PluginConfig): PluginSpec {
  return { name, kind, plugin, module, enabled, options };
}

/**
 * Loads the plugins of a configuration and checks their options. Nothing is started.
 * @returns Every problem with its place.
 */
export async function checkPlugins(
  plugins: readonly PluginConfig[],
  registry: PluginRegistry = new PluginRegistry(),
): Promise<Problem[]> {
  const found = await Promise.all(plugins.map(async (config): Promise<Problem[]> => {
    try {
      const { options } = await registry.load(config);
      options.read(structuredClone(config.options));
      return [];
    } catch (error) {
      const which = config.plugin === undefined ? "module" : "plugin";
      return optionProblems(error)?.map((problem) => ({
        origin: config.origin(problem),
        path: [config.path, "options", ...problem.path].join("."),
        message: problem.message,
      })) ?? [{
        origin: config.origin(),
        path: `${config.path}.${which}`,
        message: safeReason(error),
      }];
    }
  }));
  return found.flat();
}
