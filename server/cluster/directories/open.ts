/** The directories that the configuration names, the first to be believed first. */
import type { Logger } from "../../../base/logger.ts";
import { isIpAddress, parseNamed, parseNameServer, unbracketed } from "../../../config/address.ts";
import type { Config } from "../../../config/schema.ts";
import { parseRedisPlace } from "../../../storage/redis_place.ts";
import type { Directory } from "../directory.ts";
import { DnsDirectory } from "./dns.ts";
import { FileDirectory } from "./file.ts";
import { ListDirectory } from "./list.ts";
import { RedisDirectory } from "./redis.ts";
import { UrlDirectory } from "./url.ts";

/**
 * The list is always there: it may get nodes while the server runs.
 * @param port Where this node listens: nodes that DNS names without a port have the same.
 */
export function openDirectories(
  settings: Config["cluster"],
  port: number,
  log: Logger,
): Directory[] {
  const { nodes, nodesFile, nodesUrl, redisUrl, redisPrefix: prefix, caFile } = settings;
  const { refresh: refreshMs } = settings;
  const place = redisUrl === undefined ? undefined : parseRedisPlace(redisUrl);
  const named = settings.dns === undefined ? undefined : parseNamed(settings.dns);
  return [
    new ListDirectory(nodes, log),
    ...(nodesFile === undefined ? [] : [new FileDirectory({ path: nodesFile, log })]),
    ...(nodesUrl === undefined ? [] : [new UrlDirectory({ url: nodesUrl, refreshMs, log })]),
    ...(place === undefined ? [] : [new RedisDirectory({ place, prefix, caFile, log })]),
    ...(named === undefined ? [] : [dnsDirectory(named, settings, port, log)]),
  ];
}

/** Nodes that are found by DNS are alike: the others have the port, the scheme, the path and the certificate of this one. */
function dnsDirectory(
  { name, port: named }: { readonly name: string; readonly port?: number },
  { url, dnsServer, refresh: refreshMs }: Config["cluster"],
  listening: number,
  log: Logger,
): DnsDirectory {
  const own = new URL(url ?? "https://relay/");
  const host = unbracketed(own.hostname);
  const server = dnsServer === undefined ? undefined : parseNameServer(dnsServer);
  return new DnsDirectory({
    name,
    pattern: {
      scheme: own.protocol.slice(0, -1),
      port: named ?? listening,
      path: own.pathname,
    },
    ...(url === undefined || isIpAddress(host) ? {} : { serverName: host }),
    ...(server === undefined ? {} : { server }),
    ...{ refreshMs, log },
  });
}
