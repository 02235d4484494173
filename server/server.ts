/**
 * The running server: QUIC and WebTransport on one UDP port ({@link Node}), HTTP on the TCP port of the same number, the
 * admin listener, the upstream link, and their end.
 *
 * @module
 */
import type { Logger } from "../base/logger.ts";
import { accessWarning, exposuresOf, openingOf } from "../config/exposure.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { PluginConfig } from "../config/plugin_list.ts";
import type { Certificate } from "../config/tls/pem_pair.ts";
import { ConfigError, inOrder, placeOf } from "../config/problems.ts";
import type { Upstream } from "./cluster/upstream.ts";
import type { Dvr } from "./dvr/dvr.ts";
import { checkHooks } from "./hooks/check.ts";
import type { Hooks } from "./hooks/hooks.ts";
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
  readonly #finished = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;

  /** Takes peers in, dials the upstream relay and begins hooks and plugins. @param opened Owns the parts. */
  constructor(parts: ServerParts, opened: AsyncDisposableStack) {
    this.#parts = parts;
    this.#opened = opened;
    this.#log = parts.view.log;
    opened.defer(() => this.#leave());
    const { hooks, plugins } = parts.view.loaded;
    this.#applyHooks();
    void checkHooks(hooks).then((problems) => {
      for (const { origin, path, message } of problems) {
        this.#log.warn("a hook will fail", { at: placeOf(origin), key: path, reason: message });
      }
    });
    this.node.accept().catch((error) => this.#finished.reject(error));
    void this.upstream?.run();
    void this.#applyPlugins(plugins);
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

  get upstream(): Upstream | undefined {
    return this.#parts.upstream;
  }

  get hooks(): Hooks {
    return this.#parts.hooks;
  }

  /** What is recorded for looking back; `undefined` where nothing is. */
  get dvr(): Dvr | undefined {
    return this.#parts.dvr;
  }

  /** What the HTTP listeners show. */
  get view(): ServerView {
    return this.#parts.view;
  }

  /** What it listens on. */
  get listeners(): ServerParts["listeners"] {
    return this.#parts.listeners;
  }

  /** Where a browser finds the pages; `undefined` when HTTP is off. */
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
   * Makes the instances of plugins those of a configuration: what is the same keeps running, what differs is started anew,
   * what is gone stops. Fulfils when what had to stop has; never rejects.
   */
  async #applyPlugins(plugins: readonly PluginConfig[]): Promise<void> {
    await this.#parts.plugins.apply(plugins);
  }

  /** Tells those that the configuration in use names of what happens, and nobody else. */
  #applyHooks(): void {
    this.hooks.apply(this.view.loaded.hooks.map(({ hook }) => hook));
  }

  /** New connections get this certificate; those that are up stay. */
  replaceCertificate(certificate: Certificate): void {
    this.node.replaceCertificate(certificate);
    this.#parts.workers?.replaceCertificate(certificate);
    this.#parts.door?.replaceCertificate(certificate);
    this.#parts.view.certificate = certificate;
  }

  /**
   * Takes a configuration that was read again into use, as far as that goes while the server runs, in every thread. Nobody's
   * session ends for it.
   * @throws {ConfigError} @throws {KeysUnavailable} Nothing has changed then.
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
    // Nothing is refused from here on.
    view.loaded = next;
    take();
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

  /** The part of closing that peers see: it comes first, while everything is still open. */
  async #leave(): Promise<void> {
    const { node, workers, plugins, upstream } = this.#parts;
    // Nobody is let in from here on; plugins finish what they hand on while their sessions still stand.
    node.relay.draining = true;
    workers?.refuse();
    await plugins.stop();
    // All first let out what has begun: a publisher here may have viewers over there.
    const drained = await Promise.all([node.drain(), workers?.drain() ?? true]);
    const inTime = drained.every((out) => out);
    // Not before: viewers on their way out still watch what comes by it.
    upstream?.stop();
    await Promise.all([node.close(inTime), workers?.close(inTime)]);
  }
}

/**
 * Starts a server. Fulfils once it listens on everything. What was opened is closed again when this rejects.
 * @throws {ListenFailed} @throws {KeysUnavailable} @throws {ConfigError} The admin interface would be open to others, and nobody said so.
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
  const server = new RunningServer(parts, opened.move());
  return server;
}
