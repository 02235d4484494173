/**
 * The shape of every answer and request body of the admin interface, each declared once. The types of the server's
 * handlers, the page and `top` are inferred from them. The OpenAPI document and docs/admin-api.md are made from them.
 *
 * @module
 */
import { z } from "zod";
import { LOG_LEVELS } from "../base/logger.ts";
import { PLUGIN_KINDS, PLUGIN_STATES } from "../base/plugin_kind.ts";
import type { HookStats } from "../metrics/snapshot.ts";
import type { PluginStats } from "../plugins/plugin.ts";
import type { TrackInfo } from "../relay/reading.ts";
import { CLUSTER_SHAPES } from "./cluster_shapes.ts";
import { ERROR_CODES, type ErrorCode } from "./error_codes.ts";
import { count, eitherOf, time } from "./kinds.ts";

/** A shape with exactly the members of `T`. */
type Members<T> = { readonly [K in keyof T]: z.ZodType<T[K]> };

const { string, boolean: yes, array: list, number, strictObject: object } = z;
const hopId = (about: string) => string().regex(/^\d{1,19}$/).describe(about);

const SESSION = {
  id: z.int().min(1).describe("Number of the session, counted from 1 since the start."),
  transport: string().describe("quic, webtransport or websocket."),
  version: string().describe('Version of the protocol, like "moq-lite-06".'),
  remote: string().describe('Address of the peer: "203.0.113.7:50123".'),
  root: string().describe("What stands before every path of the session."),
  startedAt: time("When it began."),
  dialed: yes().describe("Dialed by this relay: another relay."),
  hop: hopId('Hop id of the peer in decimal; "0" when it did not tell.'),
  subscriptionsServed: count("Subscriptions that are served to the peer."),
  subscriptionsUpstream: count("Subscriptions that are open at the peer."),
  announcements: count("Broadcasts the peer announces."),
  jti: string().describe("Name of its token; `null` without a token, or one that has no name.")
    .nullable(),
  sub: string().describe("Holder of its token; `null` as before.").nullable(),
};

const SERVED = object({
  id: count("Number within the session."),
  broadcast: string().describe("Path of the broadcast."),
  track: string().describe("Name of the track."),
  priority: count("0 to 255; the higher goes first."),
  maxLatencyMs: count(
    "How old groups may get in milliseconds; 0 wants the newest alone, and in versions 01 and 02 leaves it to the publisher.",
  ),
  startGroup: count("First group; `null` is the newest.").nullable(),
  endGroup: count("Last group; `null` is until it ends.").nullable(),
});

const ROUTE = object({
  source: string().describe("Who offers it: the session's peer."),
  hops: list(hopId("Hop id in decimal."))
    .describe("The relays it came through, the publisher first."),
  warm: number().describe("Cost while it is read; `null` when unknown.").nullable(),
  cold: number().describe("Cost while nobody reads it; `null` when unknown.").nullable(),
  offered: count("Tracks that it offers one by one (PUBLISH of moq-transport)."),
  onlyOffered: yes().describe("It has these tracks and no others."),
});

const PUBLISHER = object({
  hop: hopId("Hop id of the publisher in decimal; `null` when it did not say.").nullable(),
  lingering: yes().describe("It was lost without a word and is waited for."),
  routes: list(ROUTE).describe("The best first."),
  tracks: count("Tracks that were asked for."),
});

const TRACK_INFO = object(
  {
    priority: count("0 to 255, as the publisher says."),
    maxAgeMs: count("How long the publisher wants groups to be kept."),
    timescale: count("Units of a timestamp in a second; 0 where frames have none."),
  } satisfies Members<TrackInfo>,
);

const PLUGIN_STATS = object(
  {
    framesIn: count("Frames taken in."),
    bytesIn: count("Bytes taken in."),
    framesOut: count("Frames handed on."),
    bytesOut: count("Bytes handed on."),
    skipped: count("Damaged pieces of media that were left out."),
    errors: count("Failures it got over by itself."),
    notServed: count("Broadcasts and renditions that are there and not served now."),
    latencyMs: number().describe("What it adds in milliseconds; -1 is unknown."),
  } satisfies Members<PluginStats>,
);

const HOOK_STATS = object(
  {
    sent: count("Events that were told."),
    failed: count("Events given up after the last attempt."),
    dropped: count("Events there was no room for."),
    coalesced: count("Events that took themselves back before their turn."),
    retries: count("Attempts after the first."),
  } satisfies Members<HookStats>,
);

/** The shapes that have a name in the documents, in the documents' order. */
export const SHAPES = {
  Session: object(SESSION).describe("One peer of the relay."),
  SessionDetail: object({
    ...SESSION,
    subscriptions: list(SERVED).describe("What is served to the peer."),
  }).describe("One peer, with what is served to it."),
  Broadcast: object({
    path: string().describe("Path of the broadcast."),
    publishers: list(PUBLISHER).describe("Who publishes it."),
  }).describe("What is announced at one path."),
  Track: object({
    broadcast: string().describe("Path of the broadcast."),
    track: string().describe("Name of the track."),
    subscribers: count("Subscriptions it is given out to, over all threads."),
    upstreamSubscriptions: z.literal([0, 1]).meta({
      type: "integer",
      description: "Our own subscriptions it is filled by: 1 while somebody reads.",
    }),
    route: string().describe("Who fills it now.").nullable(),
    groupsKept: count("Groups in memory."),
    newestGroup: count("Sequence of the newest group.").nullable(),
    groupsIn: count("Groups that came in."),
    framesIn: count("Frames that came in."),
    bytesIn: count("Bytes of frames that came in."),
    groupsEvicted: count("Groups that were forgotten."),
    info: TRACK_INFO,
  }).describe("A track that somebody has asked for."),
  ...CLUSTER_SHAPES,
  Plugin: object({
    name: string().describe("Name of the instance."),
    kind: string()
      .describe("ingress, transform or egress; `null` while its module is not loaded.").nullable(),
    plugin: string().describe("Which plugin it is; `null` as before.").nullable(),
    module: string().describe("Module it comes from; `null` for those of the program.").nullable(),
    enabled: yes().describe("Whether it is to run."),
    state: z.enum(PLUGIN_STATES).describe("How it fares."),
    reason: string().describe("Why it is in this state, or what it waits for.").nullable(),
    since: time("Since when it is in this state."),
    restarts: count("How often it was started again."),
    stats: PLUGIN_STATS,
    options: z.record(string(), z.unknown())
      .describe("Its options, without what looks secret."),
  }).describe("An instance of a plugin."),
  PluginInput: z.object({
    name: string().describe("That of the URL, or left out.").optional(),
    kind: z.enum(PLUGIN_KINDS).optional(),
    plugin: string().describe("Which plugin it is.").optional(),
    module: string().describe("A module that the configuration file names.").optional(),
    enabled: yes().default(true),
    options: z.record(string(), z.unknown()).optional(),
  }).describe("The keys that an entry of `plugins:` in the file has, but `name`."),
  Hook: object({
    name: string().describe("Name of the hook."),
    url: string().describe("Scheme, host and port of a webhook; `null` for a command.").nullable(),
    command: string()
      .describe("Program of a command, without its arguments; `null` for a webhook.").nullable(),
    events: list(string().describe("An event.")).describe("What it is told of."),
    broadcasts: list(string().describe("A pattern.")).describe("Of which broadcasts."),
    waiting: count("Events that wait for their turn."),
    underWay: count("Events that are being told now."),
    stats: HOOK_STATS.describe("Counted since the hook began."),
    lastFailure: string().describe("Why the last event could not be told.").nullable(),
  }).describe("Somebody who is told of what happens."),
  Revocation: object({
    jti: string().describe("Name of the token that was taken back.").nullable(),
    sub: string().describe("Holder whose tokens, signed up to then, were taken back.").nullable(),
    revokedAt: time("Since when."),
    until: time("When it is forgotten; `null` is when the server ends.").nullable(),
  }).describe("Tokens that are held back."),
  RevocationInput: eitherOf(["jti", "sub"], {
    jti: string().min(1).max(1024).describe("Name of the token.").exactOptional(),
    sub: string().min(1).max(1024).describe("Holder of the tokens.").exactOptional(),
    until: time("When the last of these tokens ends: it is forgotten then.").exactOptional(),
  }),
  Setting: object({
    key: string().describe('As in the file: "server.idle_timeout".'),
    value: z.unknown()
      .describe("As a file would write it, without secrets; `null` when not set."),
    origin: string()
      .describe('Where it comes from: a place in the file, a variable, a flag or "default".'),
  }).describe("A setting of the configuration in effect."),
  LogLevel: object({
    level: z.enum(LOG_LEVELS).describe("The least important lines written."),
  }).describe("The level of the log."),
  Health: object({
    status: z.enum(["healthy", "degraded"]),
    timestamp: time("Now."),
    uptime: string().describe("Since the start, like 1h2m3.5s."),
    active_connections: count("Sessions of the first thread."),
    upstream_connected: yes().describe("Whether there is an upstream relay, and it is connected."),
    version: string().describe("Version of the program."),
  }).describe("What older installations read."),
  Readiness: object({
    ready: yes().describe("Whether they may."),
    reason: string().describe("The first of the reasons why not.").optional(),
    reasons: list(string().describe("draining or upstream_not_connected."))
      .describe("Every reason why not.").optional(),
    warnings: list(
      string().describe(
        "open_to_everybody: others have full access without a token, and nobody asked for it.",
      ),
    ).describe("What should not stay so; absent when there is nothing.").optional(),
  }).describe("Whether new peers may come."),
  Reload: object({
    applied: list(string().describe("A setting, `plugins`, `hooks` or `certificate`."))
      .describe("What is in use now."),
    needsRestart: list(string().describe("A setting."))
      .describe("What takes effect after a restart."),
  }).describe("What has come of reading the configuration again."),
  Error: z.looseObject({
    error: string().describe("What went wrong, for people."),
    code: z.enum(Object.keys(ERROR_CODES) as ErrorCode[]).describe("The same, for programs."),
    problems: list(object({
      path: string().describe("Where in the body or query; empty for all of it."),
      message: string().describe("What is wrong there."),
    })).describe("Each wrong place of a body or query.").optional(),
  }).describe("As every error is answered."),
};

const next = string().describe("Where the next page begins; absent on the last one.").optional();

/** Answers whose shape has no name in the documents. */
export const ANSWERS = {
  sessions: object({ sessions: list(SHAPES.Session), next }),
  broadcasts: object({ broadcasts: list(SHAPES.Broadcast), next }),
  tracks: object({ tracks: list(SHAPES.Track), next }),
  revoked: object({ revoked: list(SHAPES.Revocation), next }),
  closed: object({ closed: count("Sessions that were closed.") }),
  plugins: object({ plugins: list(SHAPES.Plugin) }),
  hooks: object({ hooks: list(SHAPES.Hook) }),
  config: object({
    file: string().describe("The file that was read.").nullable(),
    settings: list(SHAPES.Setting),
  }),
  limits: object({ limits: list(SHAPES.Setting) }),
  draining: object({ draining: yes() }),
  alive: object({ status: z.enum(["alive"]) }),
};

type ReadonlyDeep<T> = T extends readonly (infer I)[] ? readonly ReadonlyDeep<I>[]
  : T extends object ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> }
  : T;

/** The type of a shape's values. */
export type Shaped<S extends z.ZodType> = ReadonlyDeep<z.infer<S>>;
type Named<N extends keyof typeof SHAPES> = Shaped<(typeof SHAPES)[N]>;
/** The type of one of {@link ANSWERS}. */
export type AnswerJson<N extends keyof typeof ANSWERS> = Shaped<(typeof ANSWERS)[N]>;

export type SessionJson = Named<"Session">;
export type SessionDetailJson = Named<"SessionDetail">;
export type BroadcastJson = Named<"Broadcast">;
export type PublisherJson = Shaped<typeof PUBLISHER>;
export type TrackJson = Named<"Track">;
export type ClusterJson = Named<"Cluster">;
export type ClusterNodeJson = Named<"ClusterNode">;
export type LinkJson = Named<"Link">;
export type PluginJson = Named<"Plugin">;
export type HookJson = Named<"Hook">;
export type RevocationJson = Named<"Revocation">;
export type RevocationInputJson = Named<"RevocationInput">;
export type SettingJson = Named<"Setting">;
export type LogLevelJson = Named<"LogLevel">;
export type HealthJson = Named<"Health">;
export type ReadinessJson = Named<"Readiness">;
export type ReloadJson = Named<"Reload">;
export type ErrorJson = Named<"Error">;

/** What `/api/where` of the public HTTP tells the page. */
export interface WhereJson {
  /** Whether the browser runs on the machine of the server. */
  readonly local: boolean;
  /** "127.0.0.1:9090", for browsers on this machine; `null` when the admin interface is off or not bound to loopback. */
  readonly admin: string | null;
  /** Whether others have full access without a token, and nobody asked for that. */
  readonly openToEverybody: boolean;
}
