/** The directories that the configuration names, the first to be believed first. */
import type { Logger } from "../../../base/logger.ts";
import { parseRedisPlace } from "../../../storage/redis_place.ts";
import type { Config } from "../../../config/schema.ts";
import type { Directory } from "../directory.ts";
import { FileDirectory } from "./file.ts";
import { ListDirectory } from "./list.ts";
import { RedisDirectory } from "./redis.ts";
import { UrlDirectory } from "./url.ts";

/** The list is always there: it may get nodes while the server runs. */
export function openDirectories(settings: Config["cluster"], log: Logger): Directory[] {
  const { nodes, nodesFile, nodesUrl, redisUrl, redisPrefix, refresh: refreshMs } = settings;
  const place = parseRedisPlace(redisUrl);
  return [
    new ListDirectory(nodes, log),
    ...(nodesFile === undefined ? [] : [new FileDirectory({ path: nodesFile, log })]),
    ...(nodesUrl === undefined ? [] : [new UrlDirectory({ url: nodesUrl, refreshMs, log })]),
    ...(place === undefined ? [] : [new RedisDirectory({ place, prefix: redisPrefix, log })]),
  ];
}
