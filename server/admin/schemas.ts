/**
 * What the admin interface answers with, by name. Each is tied to the type it describes: a member that is added there is
 * missed here.
 *
 * @module
 */
import type { PluginStats } from "../../plugins/plugin.ts";
import type { TrackInfo } from "../../relay/ports.ts";
import type {
  BroadcastJson,
  RouteJson,
  SessionDetailJson,
  SessionJson,
  TrackJson,
} from "./snapshot.ts";
import type { ReloadOutcome } from "../reload.ts";
import type { HookStats } from "../../metrics/snapshot.ts";
import type { HookJson } from "./routes/hook_json.ts";
import type { PluginJson } from "./routes/plugin_json.ts";
import { ERROR_CODES, type ErrorJson } from "./routes/route.ts";
import { count, listOf, object, orNull, type Schema, text, time, yes } from "./schema.ts";

/** A setting as `/api/v1/config` and `/api/v1/limits` show it. */
export interface SettingJson {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

/** Tokens that are held back. */
export interface RevocationJson {
  readonly jti: string | null;
  readonly sub: string | null;
  readonly revokedAt: string;
  readonly until: string | null;
}

/** As `/health` answers who asks for JSON; older installations read it. */
export interface HealthJson {
  readonly status: "healthy" | "degraded";
  readonly timestamp: string;
  readonly uptime: string;
  readonly active_connections: number;
  readonly upstream_connected: boolean;
  readonly version: string;
}

export const LEVELS = ["debug", "info", "warn", "error"] as const;
const id = count("Number of the session, counted from 1 since the start.", { minimum: 1 });
const hopText = (what: string) => text(what, { pattern: "^\\d{1,19}$" });

const SESSION: { readonly [K in keyof SessionJson]-?: Schema } = {
  id,
  transport: text("quic, webtransport or websocket."),
  version: text('Version of the protocol, like "moq-lite-06".'),
  remote: text('Address of the peer: "203.0.113.7:50123".'),
  root: text("What stands before every path of the session."),
  startedAt: time("When it began."),
  dialed: yes("Dialed by this relay: the upstream relay."),
  hop: hopText('Hop id of the peer in decimal; "0" when it did not tell.'),
  subscriptionsServed: count("Subscriptions that are served to the peer."),
  subscriptionsUpstream: count("Subscriptions that are open at the peer."),
  announcements: count("Broadcasts the peer announces."),
  jti: orNull(text("Name of its token; `null` without a token, or one that has no name.")),
  sub: orNull(text("Holder of its token; `null` as before.")),
};

const SERVED = object<SessionDetailJson["subscriptions"][number]>({
  id: count("Number within the session."),
  broadcast: text("Path of the broadcast."),
  track: text("Name of the track."),
  priority: count("0 to 255; the higher goes first."),
  maxLatencyMs: count(
    "How old groups may get in milliseconds; 0 wants the newest alone, and in versions 01 and 02 leaves it to the publisher.",
  ),
  startGroup: orNull(count("First group; `null` is the newest.")),
  endGroup: orNull(count("Last group; `null` is until it ends.")),
});

const ROUTE = object<RouteJson>({
  source: text("Who offers it: the session's peer."),
  hops: listOf(hopText("Hop id in decimal."), "The relays it came through, the publisher first."),
  warm: orNull({ type: "number", description: "Cost while it is read; `null` when unknown." }),
  cold: orNull({ type: "number", description: "Cost while nobody reads it; `null` when unknown." }),
});

const PUBLISHER = object<BroadcastJson["publishers"][number]>({
  hop: orNull(hopText("Hop id of the publisher in decimal; `null` when it did not say.")),
  lingering: yes("It was lost without a word and is waited for."),
  routes: listOf(ROUTE, "The best first."),
  tracks: count("Tracks that were asked for."),
});

const TRACK_INFO = object<TrackInfo>({
  priority: count("0 to 255, as the publisher says."),
  maxAgeMs: count("How long the publisher wants groups to be kept."),
  timescale: count("Units of a timestamp in a second; 0 where frames have none."),
});

const STATS = object<PluginStats>({
  framesIn: count("Frames taken in."),
  bytesIn: count("Bytes taken in."),
  framesOut: count("Frames handed on."),
  bytesOut: count("Bytes handed on."),
  skipped: count("Damaged pieces of media that were left out."),
  errors: count("Failures it got over by itself."),
  notServed: count("Broadcasts and renditions that are there and not served now."),
  latencyMs: { type: "number", description: "What it adds in milliseconds; -1 is unknown." },
});

/** Every schema that has a name, in the order of the documents. */
export const SCHEMAS = {
  Session: object<SessionJson>(SESSION, "One peer of the relay."),
  SessionDetail: object<SessionDetailJson>({
    ...SESSION,
    subscriptions: listOf(SERVED, "What is served to the peer."),
  }, "One peer, with what is served to it."),
  Broadcast: object<BroadcastJson>({
    path: text("Path of the broadcast."),
    publishers: listOf(PUBLISHER, "Who publishes it."),
  }, "What is announced at one path."),
  Track: object<TrackJson>({
    broadcast: text("Path of the broadcast."),
    track: text("Name of the track."),
    subscribers: count("Subscriptions it is given out to, over all threads."),
    upstreamSubscriptions: {
      type: "integer",
      enum: [0, 1],
      description: "Our own subscriptions it is filled by: 1 while somebody reads.",
    },
    route: orNull(text("Who fills it now.")),
    groupsKept: count("Groups in memory."),
    newestGroup: orNull(count("Sequence of the newest group.")),
    groupsIn: count("Groups that came in."),
    framesIn: count("Frames that came in."),
    bytesIn: count("Bytes of frames that came in."),
    groupsEvicted: count("Groups that were forgotten."),
    info: TRACK_INFO,
  }, "A track that somebody has asked for."),
  Plugin: object<PluginJson>({
    name: text("Name of the instance."),
    kind: orNull(text("ingress, transform or egress; `null` while its module is not loaded.")),
    plugin: orNull(text("Which plugin it is; `null` as before.")),
    module: orNull(text("Module it comes from; `null` for those of the program.")),
    enabled: yes("Whether it is to run."),
    state: {
      type: "string",
      enum: ["starting", "running", "failed", "stopped"],
      description: "How it fares.",
    },
    reason: orNull(text("Why it is in this state, or what it waits for.")),
    since: time("Since when it is in this state."),
    restarts: count("How often it was started again."),
    stats: STATS,
    options: { type: "object", description: "Its options, without what looks secret." },
  }, "An instance of a plugin."),
  PluginInput: {
    type: "object",
    description: "The keys that an entry of `plugins:` in the file has, but `name`.",
    properties: {
      name: text("That of the URL, or left out."),
      kind: { type: "string", enum: ["ingress", "transform", "egress"] },
      plugin: text("Which plugin it is."),
      module: text("A module that the configuration file names."),
      enabled: { type: "boolean", default: true },
      options: { type: "object" },
    },
  },
  Hook: object<HookJson>({
    name: text("Name of the hook."),
    url: orNull(text("Scheme, host and port of a webhook; `null` for a command.")),
    command: orNull(text("Program of a command, without its arguments; `null` for a webhook.")),
    events: listOf(text("An event."), "What it is told of."),
    broadcasts: listOf(text("A pattern."), "Of which broadcasts."),
    waiting: count("Events that wait for their turn."),
    underWay: count("Events that are being told now."),
    stats: object<HookStats>({
      sent: count("Events that were told."),
      failed: count("Events given up after the last attempt."),
      dropped: count("Events there was no room for."),
      coalesced: count("Events that took themselves back before their turn."),
      retries: count("Attempts after the first."),
    }, "Counted since the hook began."),
    lastFailure: orNull(text("Why the last event could not be told.")),
  }, "Somebody who is told of what happens."),
  Revocation: object<RevocationJson>({
    jti: orNull(text("Name of the token that was taken back.")),
    sub: orNull(text("Holder whose tokens, signed up to then, were taken back.")),
    revokedAt: time("Since when."),
    until: orNull(time("When it is forgotten; `null` is when the server ends.")),
  }, "Tokens that are held back."),
  RevocationInput: {
    type: "object",
    description: "Either `jti` or `sub`.",
    properties: {
      jti: text("Name of the token.", { minLength: 1, maxLength: 1024 }),
      sub: text("Holder of the tokens.", { minLength: 1, maxLength: 1024 }),
      until: time("When the last of these tokens ends: it is forgotten then."),
    },
    additionalProperties: false,
    oneOf: [{ required: ["jti"] }, { required: ["sub"] }],
  },
  Setting: object<SettingJson>({
    key: text('As in the file: "server.idle_timeout".'),
    value: { description: "As a file would write it, without secrets; `null` when not set." },
    origin: text('Where it comes from: a place in the file, a variable, a flag or "default".'),
  }, "A setting of the configuration in effect."),
  LogLevel: object<{ level: string }>({
    level: { type: "string", enum: LEVELS, description: "The least important lines written." },
  }, "The level of the log."),
  Health: object<HealthJson>({
    status: { type: "string", enum: ["healthy", "degraded"] },
    timestamp: time("Now."),
    uptime: text("Since the start, like 1h2m3.5s."),
    active_connections: count("Sessions of the first thread."),
    upstream_connected: yes("Whether there is an upstream relay, and it is connected."),
    version: text("Version of the program."),
  }, "What older installations read."),
  Readiness: {
    type: "object",
    description: "Whether new peers may come.",
    properties: {
      ready: yes("Whether they may."),
      reason: text("The first of the reasons why not."),
      reasons: listOf(text("draining or upstream_not_connected."), "Every reason why not."),
      warnings: listOf(
        text(
          "open_to_everybody: others have full access without a token, and nobody asked for it.",
        ),
        "What should not stay so; absent when there is nothing.",
      ),
    },
    required: ["ready"],
    additionalProperties: false,
  },
  Reload: object<ReloadOutcome>({
    applied: listOf(text("A setting, `plugins`, `hooks` or `certificate`."), "What is in use now."),
    needsRestart: listOf(text("A setting."), "What takes effect after a restart."),
  }, "What has come of reading the configuration again."),
  Error: {
    ...object<Omit<ErrorJson, "problems">>({
      error: text("What went wrong, for people."),
      code: {
        type: "string",
        enum: Object.keys(ERROR_CODES),
        description: "The same, for programs.",
      },
    }, "As every error is answered."),
    additionalProperties: true,
  },
} as const satisfies Readonly<Record<string, Schema>>;

export type SchemaName = keyof typeof SCHEMAS;

/** Stands for a schema of {@link SCHEMAS}. */
export const ref = (name: SchemaName): Schema => ({ $ref: `#/components/schemas/${name}` });

/** An object with one member, a list of such. */
export const listed = (key: string, name: SchemaName): Schema => ({
  type: "object",
  properties: { [key]: { type: "array", items: ref(name) } },
  required: [key],
  additionalProperties: false,
});
