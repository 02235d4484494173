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
  /** Failures the plugin got over by itself. */
  errors: number;
  /** Broadcasts and renditions that are there and not served now: a limit leaves them out, or nothing can be done with them. */
  notServed: number;
  /** What the plugin adds between a frame's coming and going, the last measured, in milliseconds; -1 is unknown. */
  latencyMs: number;
}

/** Who asks by HTTP. */
export interface PluginPeer {
  /** IP address; empty where nobody knows it. */
  readonly remote: string;
  /** Whom it stands for where addresses are counted: the IPv4 address, or the /64 of an IPv6 one. */
  readonly network: string;
}

/**
 * Answers HTTP requests of the public listener below a path. The answer, its body included, ends with the rights that it asked
 * for by {@link PluginContext.mayRead} or {@link PluginContext.mayPublish}.
 */
export type PluginRoute = (
  request: Request,
  peer: PluginPeer,
) => Response | Promise<Response>;

/** Rights that outlast an answer. Its owner ends it. */
export interface RightsHeld {
  /** Aborts when they end before that: the token's time is up, or it was taken back. */
  readonly lost: AbortSignal;
  /** Idempotent. */
  end(): void;
}

/** The public HTTP listener, as far as a plugin may use it. */
export interface PluginHttp {
  /**
   * Answers everything at and below `/prefix`, whatever the method (OPTIONS too), for as long as the instance runs. The
   * handler asks {@link PluginContext.mayRead} or {@link PluginContext.mayPublish} for the authorization that a session
   * needs. What the handler throws is answered with 500.
   * @throws {PathTaken} Another instance answers there, or the relay itself, or `server.http` is off.
   */
  route(prefix: string, answer: PluginRoute): Disposable;
}

/** A recording that is whole. */
export interface RecordingDone {
  /** Path of the broadcast that was recorded. */
  readonly broadcast: string;
  /** Where it is: a file, or a URL like `s3://bucket/key`. Without credentials. */
  readonly location: string;
  readonly bytes: number;
}

/** What one instance of a plugin is given. */
export interface PluginContext {
  /** Name of the instance: unique in the configuration. */
  readonly name: string;
  readonly log: Logger;
  /** Aborts when the instance has to end; `run` returns soon after. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly stats: PluginStats;
  /** The relay's own origin, seen like any peer sees it: publish into it, subscribe and fetch from it. In memory. */
  readonly client: Client;
  readonly http: PluginHttp;
  /** What runs well but deserves to be seen in the status: "waiting for the camera". `undefined` takes it back. */
  status(text: string | undefined): void;
  /** A recording is whole: hooks are told. Returns at once and never throws. */
  recorded(recording: RecordingDone): void;
  /**
   * Whether who asks by HTTP may watch a broadcast: judged by the `jwt` of the URL or the bearer token.
   * @param request The one that the route was given: its answer ends with the rights.
   */
  mayRead(request: Request, broadcast: string): Promise<boolean>;
  /** The same for publishing it. */
  mayPublish(request: Request, broadcast: string): Promise<boolean>;
  /** The same for what goes on after the answer, as a WebRTC session. @returns `undefined` when they may not. */
  hold(
    request: Request,
    broadcast: string,
    role: "read" | "publish",
  ): Promise<RightsHeld | undefined>;
}

/** A plugin as it is written: see {@link plugin}. */
export interface PluginParts<S extends OptionShape> {
  readonly kind: PluginKind;
  /** Names it in the configuration, among those of its kind: "rtsp". */
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
   * Works until `ctx.signal` aborts. What it throws is shown as the instance's status, and it is run again after a pause;
   * when it returns by itself it is done.
   * @param options As the program writes them: `retry_after` of the file is `retryAfter`.
   * @param store Where media may be kept.
   */
  run(ctx: PluginContext, options: OptionsOf<S>, store: MediaStore): Promise<void>;
  /** Gives back what `run` cannot give back itself, see {@link Plugin.stop}. */
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
   * Checks what the configuration says, with `read` of the plugin's own options. Touches nothing outside before that has
   * passed.
   * @param config The instance's `options`, as YAML gives them.
   * @throws {PluginOptionsWrong} It can never run like this.
   */
  initialize?(ctx: PluginContext, config: unknown): void | Promise<void>;
  /** See {@link PluginParts.run}. */
  run(ctx: PluginContext, store: MediaStore): Promise<void>;
  /**
   * Gives back what `run` left open. Called once or more, also when `run` never was. What takes longer than a few seconds
   * is not waited for.
   */
  stop?(ctx: PluginContext): void | Promise<void>;
}

/** A plugin as it is registered, and as a module may export it without {@link plugin}. */
export interface PluginDefinition {
  readonly kind: PluginKind;
  readonly name: string;
  readonly summary: string;
  /** What options it takes, as `options()` of `plugins/options.ts` declares them. */
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
