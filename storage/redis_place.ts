/**
 * Where a Redis is: one server, one that Sentinels watch, or a Redis Cluster.
 *
 * @module
 */

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

export interface RedisPlace {
  readonly kind: "single" | "sentinel" | "cluster";
  /** The server, the Sentinels, or some servers of the Redis Cluster. */
  readonly hosts: readonly RedisHost[];
  readonly tls: boolean;
  /** What the Sentinels call it. */
  readonly master?: string;
  readonly username?: string;
  readonly password?: string;
  readonly database?: number;
}

/** How such a URL looks, for error messages. */
export const REDIS_PLACE_HINT =
  "redis://HOST:PORT, rediss://HOST:PORT, redis+sentinel://HOST:PORT,HOST:PORT/MASTER or " +
  "redis+cluster://HOST:PORT,HOST:PORT";

const FORM =
  /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^\s:@/]*)(?::([^\s/]*))?@)?([^\s@/?#]+)((?:\/[^\s/?#]*)*)$/;
const HOST = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i;
const PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 };

/** Reads `redis://user:password@host:port/database` and its forms for Sentinel and Redis Cluster. @returns `undefined` when it is none of them. */
export function parseRedisPlace(text: string): RedisPlace | undefined {
  const [, scheme, form, user = "", pass = "", list, path = ""] = FORM.exec(text) ?? [];
  if (list === undefined) return undefined;
  const kind = (form ?? "single") as RedisPlace["kind"];
  const hosts = list.split(",").map((one) => hostOf(one, PORTS[kind]));
  const parts = path.split("/").slice(1).filter((part) => part !== "");
  const master = kind === "sentinel" ? parts.shift() : undefined;
  const [database, ...rest] = parts;
  const username = decoded(user);
  const password = decoded(pass);
  const wrong = !hosts.every((host) => host !== undefined) || rest.length > 0 ||
    (kind === "single" && hosts.length > 1) || (kind === "sentinel" && master === undefined) ||
    (database !== undefined && (kind === "cluster" || !/^\d{1,5}$/.test(database))) ||
    username === undefined || password === undefined;
  if (wrong) return undefined;
  return {
    kind,
    hosts: hosts as RedisHost[],
    tls: scheme === "rediss",
    ...(master === undefined ? {} : { master }),
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    ...(database === undefined ? {} : { database: Number(database) }),
  };
}

/** Hosts and ports, for logs: no password. */
export function redisPlaceName({ hosts, master }: RedisPlace): string {
  const at = hosts.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`);
  return master === undefined ? at.join(",") : `${at.join(",")}/${master}`;
}

function hostOf(text: string, byDefault: number): RedisHost | undefined {
  const [, address, name, port] = HOST.exec(text) ?? [];
  const host = address ?? name;
  if (host === undefined || Number(port ?? byDefault) > 65_535) return undefined;
  return { host, port: Number(port ?? byDefault) };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
