import { ADMIN_ADDRESS, parseNamed, parseNameServer, PUBLIC_PORT } from "./address.ts";
import { parseRedisPlace, REDIS_PLACE_HINT } from "../storage/redis_place.ts";
import { IETF_VERSIONS, LITE_VERSIONS } from "../wire/versions.ts";
import { z } from "zod";
import { LOG_LEVELS } from "../base/logger.ts";
import { ipBytes, isHostName, isWebOrigin } from "./address.ts";
import {
  address,
  broadcasts,
  directory,
  duration,
  filePath,
  flag,
  hopId,
  integer,
  list,
  oneOf,
  optionalAddress,
  optionalRedisUrl,
  optionalUrl,
  patterns,
  processors,
  readText,
  secret,
  sha256,
  size,
  sizeOrNone,
  someOf,
  text,
  urls,
} from "./fields.ts";

const KB = 1024;
const MB = 1024 * KB;
const GB = 1024 * MB;

/**
 * All settings of a file. Types, defaults, checks, names of environment variables and flags,
 * `configs/config.example.yaml` and `docs/config.md` are made from it.
 */
export const ConfigSchema = z.strictObject({
  server: z.strictObject({
    address: address(
      `[::]:${PUBLIC_PORT}`,
      "Where clients connect: UDP for QUIC and WebTransport, TCP for HTTP, HTTPS and WebSocket. `[::]` takes IPv4 and " +
        "IPv6; write `0.0.0.0:4433` where the system has no IPv6.",
    ),
    workers: processors(
      64,
      "Threads that take peers in; `auto` is one per processor. Each has the UDP port behind the one " +
        "before: `qumo-relay ports` prints the rule that spreads the public port over them.",
    ),
    cert_file: filePath(
      "PEM certificate chain, for every host name that clients use. Without one, a certificate is made in `cert_dir` " +
        "and replaced before it ends. A replaced file is picked up without a restart.",
      {
        aliases: ["server.tls.cert_file"],
        example: "certs/server.crt",
        unset: "a self-signed certificate is made",
      },
    ),
    key_file: filePath("PEM private key of the certificate.", {
      aliases: ["server.tls.key_file"],
      example: "certs/server.key",
      unset: "made with the certificate",
    }),
    certificates: list(
      "a list of texts with a certificate file and its key file, a space between",
      (text) => /^[^ ]+ [^ ]+$/.test(text),
      "Further certificates, for HTTPS and WebSocket over TCP: who asks for a name that one of them is for gets that one, " +
        "all others the first. QUIC and WebTransport show the first to all: name the hosts of browsers there too. Replaced " +
        "files are picked up without a restart.",
    ),
    cert_dir: directory("certs", "Where the certificate that is made is kept between starts."),
    cert_hosts: list(
      "a list of host names and IP addresses",
      (text) => isHostName(text) || ipBytes(text) !== undefined,
      "Names and addresses the made certificate is for, besides localhost, 127.0.0.1, ::1 and the " +
        "name of this machine.",
    ),
    idle_timeout: duration(
      { min: "1s", max: "24h", byDefault: "10s" },
      "A connection that is silent for this long is closed.",
    ),
    keep_alive: duration(
      { min: "0s", max: "24h", byDefault: "4s" },
      "How often a quiet connection is asked for a sign of life; `0s` never asks.",
    ),
    max_uni_streams: integer(
      { min: 3, max: 100_000, byDefault: 500 },
      "Unidirectional streams (groups) a peer may have open at once; one that publishes more live " +
        "tracks than that waits. Each takes memory even unused: twice as many of both kinds cost about " +
        "25 KB more per connection.",
    ),
    max_bidi_streams: integer(
      { min: 3, max: 100_000, byDefault: 100 },
      "Bidirectional streams (subscriptions, announcements, fetches) a peer may have open at once. From moq-transport-17 on " +
        "each namespace and each track that a peer publishes takes one too. A node of a cluster allows 1,000 at least: the " +
        "link of another node takes one for each track that is watched there.",
    ),
    congestion_control: oneOf(
      ["bbr", "cubic"],
      "bbr",
      "How the sending rate follows the network: `bbr` keeps queues short, `cubic` fills them.",
    ),
    versions: someOf(
      [...LITE_VERSIONS, ...IETF_VERSIONS],
      "Versions that are offered, of moq-lite and of moq-transport. A client that lists its own gets the first of them " +
        "that is here; on raw QUIC it gets the first one here that it knows.",
    ),
    handshake_timeout: duration(
      { min: "100ms", max: "10m", byDefault: "10s" },
      "A peer that has not finished its handshake by then is turned away.",
    ),
    write_timeout: duration(
      { min: "100ms", max: "24h", byDefault: "10s" },
      "A session whose peer takes no data for this long is closed.",
    ),
    drain_timeout: duration(
      { min: "0s", max: "1h", byDefault: "5s" },
      "How long groups in flight may take to finish when the server stops.",
    ),
    goaway_uri: optionalUrl(
      ["https", "http", "moqt", "moql"],
      'Where clients are told to go when the server stops; `""` lets them choose.',
    ),
    http: flag(
      true,
      "Whether the pages and the public HTTP interface are served over TCP on the same port: `http://`, and `https://` with " +
        "the certificate of QUIC, told apart by the first byte.",
    ),
    http_keep_alive: duration(
      { min: "100ms", max: "1h", byDefault: "15s" },
      "A TCP connection on which nothing was asked for this long is closed. A request that has begun must be whole " +
        "within `handshake_timeout`, each further one too.",
    ),
    websocket: flag(
      true,
      "Whether sessions are taken in over WebSocket, on every path of the public HTTP: `ws://`, and `wss://` with the " +
        "certificate of QUIC. Needs `http`.",
    ),
    cors_origins: list(
      "a list of origins like `https://site.example`, or `*`",
      (text) => text === "*" || isWebOrigin(text),
      "Web pages that may read the public HTTP: what is announced, groups, what was kept, and what plugins answer " +
        "that do not decide themselves. `*` is every page; of a relay that asks nobody for a token, every page that " +
        "`auth.origins` lets in.",
      ["*"],
    ),
    capacity_sessions: integer(
      { min: 0, max: 1_000_000, byDefault: 0 },
      "Sessions that this node is meant to serve. Above that viewers are sent to another node of the cluster, or get 503. " +
        "`0` for no bound.",
      { aliases: ["server.capacity.sessions"] },
    ),
    capacity_mbps: integer(
      { min: 0, max: 10_000_000, byDefault: 0 },
      "The same for megabits of media per second that it sends.",
      { aliases: ["server.capacity.mbps"] },
    ),
    capacity_cpu: integer(
      { min: 0, max: 100, byDefault: 0 },
      "The same for the CPU that it uses, in percent of the machine.",
      { aliases: ["server.capacity.cpu"] },
    ),
  }).describe("Where clients connect."),
  relay: z.strictObject({
    upstream_url: urls(
      ["https", "http", "moqt", "moql"],
      "Relays to exchange broadcasts with: one, or a list. `http://` first asks for the hash of its certificate. " +
        "`?cost=N` is the price of that link.",
    ),
    upstream_hash: sha256(
      "SHA-256 of the upstream relay's certificate: that one is accepted, whoever signed it.",
      { example: "a3f1…", unset: "the certificate must be signed by a known authority" },
    ),
    upstream_ca_file: filePath(
      "PEM certificates of further authorities the upstream relay may use.",
      {
        example: "certs/upstream-ca.crt",
        unset: "those Deno knows",
      },
    ),
    group_cache_size: integer(
      { min: 1, max: 10_000, byDefault: 100 },
      "Groups kept per track, for viewers that join late or fall behind.",
      { aliases: ["relay.MaxGroupCache"] },
    ),
    frame_capacity: size(
      { min: 64, max: MB, byDefault: 1_500 },
      "Bytes a frame is expected to have; larger frames take several pieces of the pool.",
      { aliases: ["relay.FrameCapacity"] },
    ),
    max_group_bytes: size(
      { min: 64 * KB, max: GB, byDefault: 32 * MB },
      "A group that grows beyond this is cut off.",
    ),
    max_age: duration(
      { min: "0s", max: "24h", byDefault: "5s" },
      "Groups older than this are forgotten, but the newest; a publisher may name its own limit.",
    ),
    linger: duration(
      { min: "0s", max: "1h", byDefault: "5s" },
      "How long a broadcast outlives a publisher that vanished without a word.",
    ),
    hop_id: hopId("What this relay calls itself in the path of an announcement.", {
      example: "1234567890",
      unset: "a random one at each start",
    }),
    upstream_backoff_min: duration(
      { min: "10ms", max: "1h", byDefault: "1s" },
      "First pause before the upstream relay is dialled again; it doubles with every failure.",
    ),
    upstream_backoff_max: duration(
      { min: "10ms", max: "1h", byDefault: "10s" },
      "Longest pause before the upstream relay is dialled again.",
    ),
  }).describe("How tracks are kept and passed on."),
  cluster: z.strictObject({
    url: optionalUrl(
      ["https", "http", "moqt", "moql"],
      "What other nodes and viewers dial to reach this node. Nodes that tell of themselves (`redis_url`) need it.",
    ),
    region: text(
      "Where this node stands. Media comes into a region once, through one of its nodes.",
      {
        byDefault: "default",
      },
    ),
    nodes: urls(
      ["https", "http", "moqt", "moql"],
      "The nodes of the cluster, this one may be among them. `?cost=N` sets the price of the link to that node, " +
        "`?region=NAME` tells where it stands, and `?hash=…` pins its certificate.",
    ),
    nodes_file: filePath(
      "A file with the nodes: one URL in each line, as in `nodes`, or a JSON array of URLs. It is read again when it changes.",
      { example: "/etc/qumo-relay/nodes", unset: "no list of this kind" },
    ),
    nodes_url: optionalUrl(
      ["https", "http"],
      "Where such a list is asked for every `refresh`. `http://` on this machine only.",
    ),
    redis_url: readText(
      `a URL like ${REDIS_PLACE_HINT}`,
      (text) => parseRedisPlace(text) && text,
      "A Redis server where the nodes find each other: `redis://`, `rediss://`, for Sentinel " +
        "`redis+sentinel://HOST:PORT,HOST:PORT/MASTER`, for Redis Cluster `redis+cluster://HOST:PORT,HOST:PORT`. Needs `url`.",
    ),
    redis_prefix: text("What every key of the cluster begins with.", {
      byDefault: "qumo:cluster:",
    }),
    dns: readText(
      "a name like `relay.example`, with a port or without",
      (text) => parseNamed(text) && text,
      "A name whose addresses (A, AAAA) are the nodes, as of a headless service of Kubernetes, with their port where that is " +
        "not the one of this node: `relays:4433`; or one of SRV records: `_moq._udp.relay.example`. It is resolved again every `refresh`.",
    ),
    dns_server: readText(
      "an IP address, with a port or without",
      (text) => parseNameServer(text) && text,
      "The name server to ask, as `ADDRESS:PORT`; `system` is that of the machine.",
      "system",
    ),
    refresh: duration(
      { min: "100ms", max: "1h", byDefault: "2s" },
      "How often `nodes_url` is asked and `dns` resolved.",
    ),
    secret_file: filePath(
      "File with a secret that all nodes share, 16 characters or more: by it they take each other in as nodes.",
      { example: "/etc/qumo-relay/cluster.secret", unset: "nodes need a token, or an open relay" },
    ),
    token_file: filePath(
      "File with the token that this node shows to other nodes, instead of `secret_file`.",
      { example: "/etc/qumo-relay/cluster.jwt", unset: "no token" },
    ),
    ca_file: filePath(
      "PEM certificates of further authorities that other nodes, and Redis by `rediss://`, may use.",
      {
        example: "certs/cluster-ca.crt",
        unset: "those Deno knows",
      },
    ),
    cost: integer(
      { min: 0, max: 1_000_000, byDefault: 1 },
      "The price of a link to a node of the same region.",
    ),
    region_cost: integer(
      { min: 0, max: 1_000_000, byDefault: 10 },
      "The price of a link to a node of another region.",
    ),
    keep_alive: duration(
      { min: "50ms", max: "1m", byDefault: "500ms" },
      "How often a link to another node, or to an upstream relay, shows that it lives.",
    ),
    idle_timeout: duration(
      { min: "200ms", max: "10m", byDefault: "2s" },
      "A link is lost after this silence.",
    ),
    backoff_min: duration(
      { min: "10ms", max: "1h", byDefault: "200ms" },
      "First pause before a node is dialled again; it doubles with every failure.",
    ),
    backoff_max: duration(
      { min: "10ms", max: "1h", byDefault: "5s" },
      "Longest pause before a node is dialled again.",
    ),
  }).describe("Other nodes, and how they find each other: docs/cluster.md."),
  limits: z.strictObject({
    max_sessions: integer(
      { min: 0, max: 1_000_000, byDefault: 10_000 },
      "Sessions at once; who comes above that gets 503. `0` for no limit, as everywhere in this section.",
    ),
    max_sessions_per_address: integer(
      { min: 0, max: 1_000_000, byDefault: 2_000 },
      "Sessions at once from one IPv4 address or one /64 of IPv6; who comes above that gets 429. Behind a proxy all come " +
        "from its address.",
    ),
    max_answers_per_address: integer(
      { min: 0, max: 1_000_000, byDefault: 500 },
      "Answers of the public HTTP under way at once for one such address (`/announced`, `/fetch`, `/dvr`, and those of plugins, " +
        "as HLS); who asks for more gets 429. Each is sent no faster than `max_send_rate`.",
    ),
    max_handshakes: integer(
      { min: 0, max: 1_000_000, byDefault: 4_096 },
      "Connections in their handshake at once, in each thread; one address takes a quarter of that at most. How long a " +
        "handshake may take is `server.handshake_timeout`.",
    ),
    max_http_connections: integer(
      { min: 0, max: 1_000_000, byDefault: 8_192 },
      "TCP connections at once for HTTP; more are closed. Each takes three file descriptors. One that has become a " +
        "WebSocket session counts as a session instead.",
    ),
    max_http_connections_per_address: integer(
      { min: 0, max: 1_000_000, byDefault: 512 },
      "The same from one IPv4 address or one /64 of IPv6. Behind a proxy all come from its address.",
    ),
    max_announcements: integer(
      { min: 0, max: 10_000_000, byDefault: 20_000 },
      "Broadcasts that one session may announce at once, and tracks that it may publish one by one; more are not taken.",
    ),
    max_subscriptions: integer(
      { min: 0, max: 1_000_000, byDefault: 10_000 },
      "Subscriptions that one session may have at once, on moq-transport with fetches and tracks published to it; `server.max_bidi_streams` is the nearer limit for most.",
    ),
    max_message_rate: integer(
      { min: 0, max: 10_000_000, byDefault: 2_000 },
      "Control messages a session may send per second, ten times as many at once after a pause. One that sends more waits.",
    ),
    max_send_rate: sizeOrNone(
      { min: KB, max: 100 * GB, byDefault: 0 },
      "Bytes of media per second that one session gets. It falls behind like a viewer on a slow network.",
    ),
    max_receive_rate: sizeOrNone(
      { min: KB, max: 100 * GB, byDefault: 0 },
      "Bytes of media per second that one session may send; one that goes on above that for two seconds is closed.",
    ),
    max_cache_bytes: sizeOrNone(
      { min: MB, max: 1024 * GB, byDefault: GB },
      "Bytes of the groups held by all threads; above that the oldest are forgotten, then those of who holds the most are cut.",
    ),
    max_broadcast_cache_bytes: sizeOrNone(
      { min: MB, max: 1024 * GB, byDefault: 256 * MB },
      "The same for the tracks of one broadcast.",
    ),
    max_frame_bytes: sizeOrNone(
      { min: KB, max: GB, byDefault: 16 * MB },
      "A group with a frame larger than this is cut off. For groups there is `relay.max_group_bytes`.",
    ),
  }).describe("What peers may have of the server: docs/operations.md."),
  auth: z.strictObject({
    required: flag(
      false,
      "Whether a client without a token is refused, except on the public paths. A key or `server_url` does the same. " +
        "With nothing said in this section everybody has full access, and the server warns about it.",
    ),
    anonymous: flag(
      false,
      "Whether a client without a token may publish and watch everything, on purpose: without the warning.",
    ),
    origins: list(
      "a list of origins like `https://site.example`, or `*`",
      (text) => text === "*" || isWebOrigin(text),
      "Web pages of other sites that may use a relay that asks nobody for a token, by WebSocket, WebTransport and HTTP. " +
        "The relay's own pages and those of loopback hosts may always. Their host names are names of the relay too. " +
        "`*` is every page. Nothing depends on it where tokens are asked for.",
    ),
    key_file: filePath(
      "Key that tokens are checked with: a JWK or a JWKS. A replaced file is picked up without a restart.",
      { example: "keys/relay.jwk", unset: "no key of this kind" },
    ),
    key_dir: filePath(
      "Directory of keys: the key a token names is the file `NAME.jwk`; a token that names none is refused.",
      { example: "keys", unset: "no keys of this kind" },
    ),
    jwks_url: optionalUrl(
      ["https", "http"],
      "Where an issuer shows its keys (JWKS). `http://` on this machine only.",
    ),
    jwks_refresh: duration(
      { min: "10s", max: "24h", byDefault: "5m" },
      "How long the keys of `jwks_url` hold; a token that names an unknown key asks sooner.",
    ),
    public_publish: patterns("Paths that everybody may publish, without a token."),
    public_subscribe: patterns("Paths that everybody may watch, without a token."),
    server_url: optionalUrl(
      ["https", "http"],
      "Server that is asked about every session, instead of keys and public paths. `http://` on this " +
        "machine only.",
    ),
    server_node: text("What this relay calls itself when it asks `server_url`.", {
      byDefault: "qumo-relay",
    }),
  }).describe("Who may publish and watch: docs/auth.md."),
  storage: z.strictObject({
    type: oneOf(
      ["memory", "redis"],
      "memory",
      "Where plugins keep media: `memory` for as long as the process runs, `redis` beyond that.",
    ),
    redis_url: optionalRedisUrl(
      "The Redis server: `127.0.0.1:6379`, or with the user and password it asks for " +
        "`redis://user:password@127.0.0.1:6379/0`.",
    ),
    redis_prefix: text("What every key in Redis begins with.", { byDefault: "qumo:" }),
    redis_ttl: duration(
      { min: "0s", max: "8760h", byDefault: "24h" },
      "Redis forgets a track that was not written for this long; `0s` never.",
    ),
    max_bytes: size(
      { min: MB, max: 1024 * GB, byDefault: 256 * MB },
      "Media kept in memory at most, over all tracks; the oldest makes room.",
    ),
    max_waiting_bytes: size(
      { min: MB, max: 64 * GB, byDefault: 64 * MB },
      "Media that may wait while Redis cannot be reached; past that, keeping more fails.",
    ),
    record: broadcasts(
      "Broadcasts to keep for looking back: every track their catalogue names.",
    ),
    record_tracks: list(
      "a list of track names",
      (name) => name !== "",
      "Further tracks to keep of these broadcasts.",
    ),
    record_max_tracks: integer(
      { min: 2, max: 100_000, byDefault: 512 },
      "Tracks that are recorded at one time, over all broadcasts; 32 renditions of one at most.",
    ),
    record_max_age: duration(
      { min: "1s", max: "8760h", byDefault: "10m" },
      "How far back the tracks that are kept reach.",
    ),
    record_max_bytes: size(
      { min: MB, max: 1024 * GB, byDefault: GB },
      "Most bytes that are kept of one track.",
    ),
  }).describe("Where media is kept for plugins and for looking back."),
  logging: z.strictObject({
    level: oneOf(LOG_LEVELS, "info", "The least important line written."),
    format: oneOf(
      ["auto", "pretty", "json"],
      "auto",
      "How a line looks; `auto` is `pretty` on a terminal and `json` elsewhere.",
    ),
    access: oneOf(
      ["off", "debug", "info"],
      "debug",
      "As which level each request is logged: HTTP of both addresses, WebSocket and WebTransport.",
    ),
  }).describe("What is written to standard error."),
  admin: z.strictObject({
    address: optionalAddress(
      ADMIN_ADDRESS,
      "Where metrics, health and the admin interface are served (HTTP, TCP); `off` for nowhere. " +
        "Keep it from the public: whoever reaches it sees every session.",
      { aliases: ["server.health_check_addr"] },
    ),
    token: secret(
      "What whoever asks the admin interface shows as `Authorization: Bearer`; only health is open then. " +
        "16 characters or more, as `openssl rand -hex 32` makes them.",
      { example: "c6a1…", unset: "who is on this machine may do everything" },
    ),
    token_file: filePath(
      "File with that token, instead of `token`. A replaced file is picked up without a restart.",
      { example: "/etc/qumo-relay/admin.token", unset: "no token of this kind" },
    ),
    anonymous: flag(
      false,
      "Whether an address that others reach is served without a token: reading is open to all who reach it then, and " +
        "nobody but this machine may change anything.",
    ),
    cors_origins: list(
      "a list of origins like `https://ops.example`",
      isWebOrigin,
      "Web pages that may ask the admin interface, besides the page of this server.",
    ),
  }).describe("For those who run the server."),
});

/** `idle_timeout` of a file is `idleTimeout` in the program. */
type Camel<S extends string> = S extends `${infer A}_${infer B}` ? `${A}${Capitalize<Camel<B>>}`
  : S;
type CamelKeys<T> = { readonly [K in keyof T as Camel<K & string>]: T[K] };
type Parsed = z.output<typeof ConfigSchema>;

/**
 * A checked configuration. Durations are in milliseconds, sizes in bytes; an absent setting is `undefined`.
 */
export type Config = { readonly [S in keyof Parsed]: CamelKeys<Parsed[S]> };
