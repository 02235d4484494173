/**
 * The running server: its reload and its end. `opening.ts` opens its parts.
 *
 * @module
 */
import type { Logger } from "../base/logger.ts";
import { accessWarning, exposuresOf, openingOf } from "../config/exposure.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { PluginConfig } from "../config/plugin_list.ts";
import type { Certificate } from "../config/tls/pem_pair.ts";
import { ConfigError, inOrder, logProblems } from "../config/problems.ts";
import { checkHooks } from "./hooks/check.ts";
import { type Destinations, reachable } from "./cluster/moving.ts";
import type { Node } from "./node.ts";
import { openParts, type ServerContext, type ServerParts } from "./opening.ts";
import { checkPlugins } from "./plugins/plugin_host.ts";
import type { Relay } from "./relay.ts";
import { compareConfigs, inUse, type ReloadOutcome } from "./reload.ts";
import type { ServerView } from "./admin/server_view.ts";

/** A server that listens. Its owner closes it. */
export class RunningServer {
  readonly #parts: ServerParts;
  readonly #opened: AsyncDisposableStack;
  readonly #log: Logger;
  #nodeHosts = "";
  readonly #finished = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;

  /** Accepts peers, dials other relays, and starts hooks and plugins. @param opened The parts; the server takes them over. */
  constructor(parts: ServerParts, opened: AsyncDisposableStack) {
    this.#parts = parts;
    this.#log = parts.view.log;
    opened.defer(() => this.#leave());
    const { hooks, plugins } = parts.view.loaded;
    this.#applyHooks();
    void checkHooks(hooks).then((problems) => {
      logProblems(this.#log, "a hook will fail", problems);
    });
    this.node.accept().catch((error) => this.#finished.reject(error));
    this.#nameNodes();
    parts.linkage.cluster.onChange(() => this.#nameNodes());
    parts.linkage.start();
    void this.#applyPlugins(plugins);
    this.#opened = opened.move();
  }

  /** Settles when the server has ended; rejects when it failed. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  get node(): Node {
    return this.#parts.node;
  }

  get relay(): Relay {
    return this.node.relay;
  }

  /** The view of the HTTP listeners. */
  get view(): ServerView {
    return this.#parts.view;
  }

  /** Names and addresses it listens on. */
  get listeners(): ServerParts["listeners"] {
    return this.#parts.listeners;
  }

  /** URL of the pages; `undefined` when HTTP is off. */
  get pageUrl(): string | undefined {
    return this.#parts.pageUrl;
  }

  /** Peers that are connected now. */
  get sessionCount(): number {
    return this.relay.sessionCount + (this.#parts.workers?.sessionCount ?? 0);
  }

  /** UDP address that was bound. */
  get address(): { readonly hostname: string; readonly port: number } {
    return this.node.address;
  }

  /**
   * Applies the plugins of a configuration: equal instances keep running, changed ones restart, removed ones stop. Fulfils when
   * they have stopped. Never rejects.
   */
  async #applyPlugins(plugins: readonly PluginConfig[]): Promise<void> {
    await this.#parts.view.plugins.apply(plugins);
  }

  /** Tells every thread which hosts the other nodes have. */
  #nameNodes(): void {
    const { node, workers, linkage: { cluster } } = this.#parts;
    const hosts = cluster.nodes.flatMap(({ url }) => URL.parse(url)?.hostname ?? []);
    const text = hosts.join(" ");
    if (text === this.#nodeHosts) return;
    this.#nodeHosts = text;
    node.nameNodes(hosts);
    workers?.nameNodes(hosts);
  }

  /** Applies the hooks of the configuration in use. */
  #applyHooks(): void {
    this.#parts.view.hooks.apply(this.view.loaded.hooks.map(({ hook }) => hook));
  }

  /** New connections get this certificate; open ones stay. */
  replaceCertificate(certificate: Certificate): void {
    this.node.replaceCertificate(certificate);
    this.#parts.workers?.replaceCertificate(certificate);
    this.#parts.door?.replaceCertificate(certificate);
    this.#parts.view.certificate = certificate;
  }

  /**
   * Applies a configuration that was read again, in every thread, as far as that is possible without a restart. No session
   * ends.
   * @throws {ConfigError} @throws {KeysUnavailable} Then nothing has changed.
   */
  async reload(read: LoadedConfig, certificate: Certificate): Promise<ReloadOutcome> {
    const { view } = this.#parts;
    const problems = [
      ...exposuresOf(read),
      ...openingOf(view.loaded.config, read),
      ...await checkPlugins(read.plugins),
      ...await checkHooks(read.hooks),
    ];
    if (problems.length > 0) {
      throw new ConfigError(read.file ?? "the configuration", inOrder(problems));
    }
    const { applied, needsRestart } = compareConfigs(view.loaded, read);
    const next = inUse(view.loaded, read);
    const take = await this.node.prepareReload(next.config);
    const takeLinkage = this.#parts.linkage.prepareReload(next.config);
    // Nothing can fail from here on.
    view.loaded = next;
    take();
    takeLinkage();
    view.logLevel.level = next.config.logging.level;
    if (applied.includes("hooks")) this.#applyHooks();
    const access = accessWarning(next.config);
    if (access !== undefined && applied.some((path) => path.startsWith("auth."))) {
      this.#log.warn(access.replaceAll("\n", " "));
    }
    const renewed = certificate.cert !== view.certificate.cert;
    if (renewed) this.replaceCertificate(certificate);
    await Promise.all([
      this.#parts.further?.look(),
      this.#parts.workers?.reload(next.config),
      applied.includes("plugins") ? this.#applyPlugins(next.plugins) : undefined,
    ]);
    return { applied: renewed ? [...applied, "certificate"] : applied, needsRestart };
  }

  /** Drains and closes everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#opened.disposeAsync().then(this.#finished.resolve);
    return this.#closing;
  }

  /** Where peers go from here: other nodes that can be reached. */
  #destinations(): Destinations | undefined {
    const { cluster, loaded: { config: { cluster: { region }, server: { workers } } } } = this.view;
    const nodes = reachable(cluster);
    return nodes.length === 0 ? undefined : { nodes, region, threads: workers };
  }

  /** The first step of closing, while everything is open: peers leave. */
  async #leave(): Promise<void> {
    const { node, workers, linkage, view: { plugins } } = this.#parts;
    // No new peers from here on. Plugins finish their work while their sessions are open.
    node.relay.draining = true;
    linkage.cluster.announce();
    workers?.refuse();
    await plugins.stop();
    // All threads drain before one closes: a publisher here may have viewers in another thread.
    const to = this.#destinations();
    const drained = await Promise.all([node.drain(to), workers?.drain(to) ?? true]);
    const inTime = drained.every((out) => out);
    // Not earlier: viewers that leave still watch broadcasts of other relays.
    await linkage.close();
    await Promise.all([node.close(inTime), workers?.close(inTime)]);
  }
}

/**
 * Starts a server. Fulfils once it listens. When this rejects, all opened parts are closed again.
 * @throws {ListenFailed} @throws {KeysUnavailable} @throws {ConfigError} The admin interface would be open to others without an explicit setting.
 */
export async function startServer(
  loaded: LoadedConfig,
  context: ServerContext,
): Promise<RunningServer> {
  const exposures = exposuresOf(loaded);
  if (exposures.length > 0) throw new ConfigError(loaded.file ?? "the configuration", exposures);
  await using opened = new AsyncDisposableStack();
  const stop = context.stop ?? (() => void server.close());
  const parts = await openParts(loaded, { ...context, stop }, opened);
  const server = new RunningServer(parts, opened);
  return server;
}
