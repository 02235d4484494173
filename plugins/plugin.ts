/**
 * What a plugin is, and what it is given. A plugin takes media in (ingress), changes it (transform) or hands it on (egress).
 * It stands beside the relay and meets it as any other client does, over a connection in memory. docs/plugins.md shows how
 * to write one.
 *
 * @module
 */
import type { MediaCounters } from "../media/counters.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { PluginKind } from "../base/plugin_kind.ts";
import type { Client } from "../client/mod.ts";
import {
  type OptionCheck,
  options,
  type OptionShape,
  type OptionsOf,
  type PluginOptions,
} from "./options.ts";
import type { MediaStore } from "../storage/store.ts";

/** Counted by the plugin with plain additions, read when metrics are scraped. */
export interface PluginStats extends MediaCounters {
  /** Failures that the plugin recovered from by itself. */
  errors: number;
  /** Broadcasts and renditions that are live and not served: a limit leaves them out, or the plugin cannot use them. */
  notServed: number;
  /** Time between a frame's arrival and its departure, last measured, in milliseconds; -1 when unknown. */
  latencyMs: number;
}

/** The client of an HTTP request. */
export interface PluginPeer {
  /** IP address; empty when unknown. */
  readonly remote: string;
  /** What to count by: the IPv4 address, or the /64 of an IPv6 one. */
  readonly network: string;
}

/**
 * Answers HTTP requests of the public listener below a path. The answer and its body end when the rights do that it asked for
 * by {@link PluginContext.mayRead} or {@link PluginContext.mayPublish}.
 */
export type PluginRoute = (
  request: Request,
  peer: PluginPeer,
) => Response | Promise<Response>;

/** Rights that outlast an answer. Whoever asked for them ends them. */
export interface RightsHeld {
  /** Aborts when they end by themselves: the token has expired, or was revoked. */
  readonly lost: AbortSignal;
  /** Idempotent. */
  end(): void;
}

/** The part of the public HTTP listener that a plugin may use. */
export interface PluginHttp {
  /**
   * Answers everything at and below `/prefix`, whatever the method (OPTIONS too), for as long as the instance runs. The
   * handler asks {@link PluginContext.mayRead} or {@link PluginContext.mayPublish} for the authorization that a session
   * needs. What the handler throws is answered with 500.
   * @throws {PathTaken} Another instance answers there, or the relay itself, or `server.http` is off.
   */
  route(prefix: string, answer: PluginRoute): Disposable;
}

/** A finished recording. */
export interface RecordingDone {
  /** Path of the broadcast that was recorded. */
  readonly broadcast: string;
  /** A file, or a URL like `s3://bucket/key` without credentials. */
  readonly location: string;
  readonly bytes: number;
}

/** What an instance of a plugin is given. */
export interface PluginContext {
  /** Name of the instance, unique in the configuration. */
  readonly name: string;
  readonly log: Logger;
  /** Aborts when the instance has to end. `run` then returns soon. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly stats: PluginStats;
  /** A client of this relay, over a connection in memory: publishes, subscribes and fetches as any other. */
  readonly client: Client;
  readonly http: PluginHttp;
  /** Shows a text in the status while the plugin runs: "waiting for the camera". `undefined` takes it back. */
  status(text: string | undefined): void;
  /** Tells the hooks of a finished recording. Returns at once and never throws. */
  recorded(recording: RecordingDone): void;
  /**
   * Whether the client of a request may watch a broadcast, by the `jwt` of the URL or the bearer token.
   * @param request The one that the route was given. Its answer ends with the rights.
   */
  mayRead(request: Request, broadcast: string): Promise<boolean>;
  /** Whether it may publish the broadcast. */
  mayPublish(request: Request, broadcast: string): Promise<boolean>;
  /** Rights for what goes on after the answer, like a WebRTC session. @returns `undefined` when there are none. */
  hold(
    request: Request,
    broadcast: string,
    role: "read" | "publish",
  ): Promise<RightsHeld | undefined>;
}

/** A plugin as it is written: see {@link plugin}. */
export interface PluginParts<S extends OptionShape> {
  readonly kind: PluginKind;
  /** Its name in the configuration, unique among those of its kind: "rtsp". */
  readonly name: string;
  /** One line for `qumo-relay plugins list`. */
  readonly summary: string;
  /** Builders of `config/fields.ts` by key. */
  readonly options: S;
  /** Says what is wrong with options that are right one by one. `qumo-relay check` shows it with its line. */
  readonly check?: OptionCheck<OptionsOf<S>>;
  /**
   * Looks at the surroundings (environment, files) before the instance counts as running.
   * @throws {PluginOptionsWrong} It can never run like this.
   */
  initialize?(ctx: PluginContext, options: OptionsOf<S>): void | Promise<void>;
  /**
   * Works until `ctx.signal` aborts. What it throws is shown in the status, and it runs again after a pause. When it returns
   * by itself it has finished.
   * @param options As the program writes them: `retry_after` of the file is `retryAfter`.
   * @param store Where media may be kept.
   */
  run(ctx: PluginContext, options: OptionsOf<S>, store: MediaStore): Promise<void>;
  /** Gives back what `run` cannot give back itself; see {@link Plugin.stop}. */
  stop?(ctx: PluginContext): void | Promise<void>;
}

/** Makes a plugin. A module named in `plugins[].module` exports one as its default. */
export function plugin<S extends OptionShape>(parts: PluginParts<S>): PluginDefinition {
  const { kind, name, summary } = parts;
  const declared = options(parts.options, parts.check);
  const create = (): Plugin => {
    let read: OptionsOf<S>;
    return {
      initialize(ctx, config) {
        read = declared.read(config);
        return parts.initialize?.(ctx, read);
      },
      run: (ctx, store) => parts.run(ctx, read, store),
      stop: (ctx) => parts.stop?.(ctx),
    };
  };
  return { kind, name, summary, options: declared, create };
}

/** One start of a plugin. Methods are called in the order in which they stand here. {@link plugin} makes these. */
export interface Plugin {
  /**
   * Checks the options of the instance, with `read` of the plugin's own. It touches nothing outside before they are right.
   * @param config The instance's `options`, as YAML gives them.
   * @throws {PluginOptionsWrong} It can never run like this.
   */
  initialize?(ctx: PluginContext, config: unknown): void | Promise<void>;
  /** See {@link PluginParts.run}. */
  run(ctx: PluginContext, store: MediaStore): Promise<void>;
  /**
   * Gives back what `run` left open. Called after each run, also when `run` never began. The host waits for a few seconds
   * and no longer.
   */
  stop?(ctx: PluginContext): void | Promise<void>;
}

/** A plugin as it is registered, and as a module may export it without {@link plugin}. */
export interface PluginDefinition {
  readonly kind: PluginKind;
  readonly name: string;
  readonly summary: string;
  /** Its options, as `options()` of `plugins/options.ts` declares them. */
  readonly options: PluginOptions;
  /** Makes a new object for every start; without side effects. */
  readonly create: () => Plugin;
}

/** A plugin that may not be loaded yet. */
export interface PluginEntry {
  readonly kind: PluginKind;
  readonly name: string;
  readonly load: () => Promise<PluginDefinition>;
}
