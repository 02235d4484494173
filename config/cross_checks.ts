import { formatAddress, isLoopback, unbracketed } from "./address.ts";
import type { Origin, Problem } from "./problems.ts";
import type { Config } from "./schema.ts";

/** Groups a worker must keep, because the others read a moment later. */
const MIN_SHARED_GROUPS = 8;

/**
 * Checks settings that are valid alone and wrong together.
 *
 * @param wrong Paths of settings that are wrong alone: their combinations are not checked.
 */
export function checkTogether(
  config: Config,
  origins: ReadonlyMap<string, Origin>,
  wrong: ReadonlySet<string> = new Set(),
): Problem[] {
  const { server, relay, storage, admin } = config;
  const problems: Problem[] = [];
  /** Blames the first of the paths that has a given value. */
  const report: Report = (paths, message) => {
    if (paths.some((path) => wrong.has(path))) return;
    const path = paths.find((p) => origins.get(p)!.kind !== "default") ?? paths[0]!;
    problems.push({ origin: origins.get(path)!, path, message });
  };

  if (server.certFile !== undefined && server.keyFile === undefined) {
    report(["server.cert_file", "server.key_file"], "needs server.key_file beside it");
  }
  if (server.keyFile !== undefined && server.certFile === undefined) {
    report(["server.key_file", "server.cert_file"], "needs server.cert_file beside it");
  }
  if (server.keepAlive >= server.idleTimeout) {
    report(
      ["server.keep_alive", "server.idle_timeout"],
      "server.keep_alive must be shorter than server.idle_timeout, or live connections are closed",
    );
  }
  if (server.workers > 1 && relay.groupCacheSize < MIN_SHARED_GROUPS) {
    report(
      ["relay.group_cache_size", "server.workers"],
      `relay.group_cache_size must be at least ${MIN_SHARED_GROUPS} with several server.workers: they read each ` +
        "other's groups from there",
    );
  }
  if (server.address.port > 0 && server.address.port + server.workers - 1 > 65_535) {
    report(
      ["server.workers", "server.address"],
      `server.workers needs the ${
        server.workers - 1
      } ports behind that of server.address, and there are no ports ` +
        "above 65535",
    );
  }
  if (relay.upstreamBackoffMin > relay.upstreamBackoffMax) {
    report(
      ["relay.upstream_backoff_min", "relay.upstream_backoff_max"],
      "relay.upstream_backoff_min must not exceed relay.upstream_backoff_max",
    );
  }
  if (admin.token !== undefined && admin.tokenFile !== undefined) {
    report(["admin.token_file", "admin.token"], "keep one of admin.token and admin.token_file");
  }
  if (admin.token !== undefined && !isAdminToken(admin.token)) {
    report(["admin.token"], ADMIN_TOKEN_HINT);
  }
  if (storage.type === "redis" && storage.redisUrl === undefined) {
    report(["storage.redis_url", "storage.type"], "storage.type redis needs storage.redis_url");
  }
  checkAuth(config.auth, report);
  checkDirectories(config.cluster, report);
  checkLinks(config, report);
  if (server.http && admin.address && server.address.port !== 0) {
    const everywhere = ["::", "0.0.0.0"];
    const samePort = admin.address.port === server.address.port;
    const sameHost = admin.address.hostname === server.address.hostname ||
      everywhere.includes(admin.address.hostname) || everywhere.includes(server.address.hostname);
    if (samePort && sameHost) {
      report(
        ["admin.address", "server.address", "server.http"],
        `${formatAddress(admin.address)} is also taken by the public HTTP of server.address; ` +
          "choose another port, or set server.http to false",
      );
    }
  }
  return problems;
}

/** Whether a text fits in a header and is hard to guess. */
export function isAdminToken(text: string): boolean {
  return /^[\x21-\x7e]{16,1024}$/.test(text);
}

export const ADMIN_TOKEN_HINT =
  "a token has 16 characters or more, visible ASCII without spaces; `openssl rand -hex 32` makes one";

type Report = (paths: readonly string[], message: string) => void;

function checkAuth(auth: Config["auth"], report: Report): void {
  const { keyFile, keyDir, jwksUrl, serverUrl, publicPublish, publicSubscribe } = auth;
  const sources = Object.entries({ key_file: keyFile, key_dir: keyDir, jwks_url: jwksUrl })
    .filter(([, value]) => value !== undefined).map(([key]) => `auth.${key}`);
  if (sources.length > 1) {
    report(sources, `keys come from one place: keep one of ${sources.join(", ")}`);
  }
  const others = sources.length + publicPublish.length + publicSubscribe.length > 0;
  if (serverUrl !== undefined && (others || auth.anonymous)) {
    report(
      ["auth.server_url"],
      "that server decides on everybody: leave keys, public paths and anonymous out, or it",
    );
  }
  if (auth.required && auth.anonymous) {
    report(["auth.anonymous", "auth.required"], "keep one of auth.anonymous and auth.required");
  }
  checkPlainHttp({ "auth.jwks_url": jwksUrl, "auth.server_url": serverUrl }, report);
}

/** What is asked for over plain HTTP comes from this machine. */
function checkPlainHttp(urls: Readonly<Record<string, string | undefined>>, report: Report): void {
  for (const [path, url] of Object.entries(urls)) {
    if (url === undefined || url.startsWith("https:")) continue;
    if (isLoopback(unbracketed(new URL(url).hostname))) continue;
    report([path], "http:// is for this machine only, others could listen in: write https://");
  }
}

/** Whether a configuration has links to other relays. */
function hasLinks({ relay, cluster }: Config): boolean {
  const { nodes, nodesFile, nodesUrl, redisUrl, dns } = cluster;
  return relay.upstreamUrl.length + nodes.length > 0 ||
    [nodesFile, nodesUrl, redisUrl, dns].some((from) => from !== undefined);
}

/** A lost link is noticed before the groups are forgotten that its viewers need to go on. */
function checkLinks(config: Config, report: Report): void {
  const { relay: { maxAge }, cluster: { keepAlive, idleTimeout, backoffMin, backoffMax } } = config;
  if (keepAlive >= idleTimeout) {
    report(
      ["cluster.keep_alive", "cluster.idle_timeout"],
      "cluster.keep_alive must be shorter than cluster.idle_timeout, or live links are closed",
    );
  }
  if (backoffMin > backoffMax) {
    report(
      ["cluster.backoff_min", "cluster.backoff_max"],
      "cluster.backoff_min must not exceed cluster.backoff_max",
    );
  }
  const leastMs = 2 * (idleTimeout + keepAlive);
  if (!hasLinks(config) || maxAge >= leastMs) return;
  report(
    ["relay.max_age", "cluster.idle_timeout", "cluster.keep_alive"],
    `with links to other relays, relay.max_age must be at least twice cluster.idle_timeout and cluster.keep_alive together: ` +
      `${leastMs}ms; raise it, or lower those, or groups are forgotten before a lost link is noticed`,
  );
}

/** What the URL of a node may have in its query. A token is not among it: URLs of nodes are shown to viewers. */
const NODE_QUERY = ["cost", "region", "hash"];

function checkDirectories({ url, nodes, nodesUrl, redisUrl }: Config["cluster"], report: Report) {
  checkPlainHttp({ "cluster.nodes_url": nodesUrl }, report);
  if (redisUrl !== undefined && url === undefined) {
    report(
      ["cluster.redis_url"],
      "needs cluster.url beside it: the others have to know how to reach this node",
    );
  }
  const named = { "cluster.url": url === undefined ? [] : [url], "cluster.nodes": nodes };
  for (const [path, list] of Object.entries(named)) {
    const wrong = list.map((one) => new URL(one)).find(({ username, password, searchParams }) =>
      username !== "" || password !== "" ||
      [...searchParams.keys()].some((name) => !NODE_QUERY.includes(name))
    );
    if (wrong === undefined) continue;
    report(
      [path],
      `the URL of a node is shown to viewers: ${wrong.host} may have cost, region and hash in its query and no user; ` +
        "a token belongs in cluster.token_file",
    );
  }
}
