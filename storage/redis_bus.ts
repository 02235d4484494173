/**
 * A small connection to Redis for those who need a script and a channel: to one server, to the master that Sentinels name, or to a
 * Redis Cluster. Commands fail at once while there is no connection.
 *
 * @module
 */
import { createClient, createCluster, createSentinel } from "@redis/client";
import { unlessAborted } from "../base/bell.ts";
import type { RedisPlace } from "./redis_place.ts";

/** After so long without an answer a connection is replaced. */
const SILENT_MS = 3000;
const PING_MS = 1000;
const MAX_RETRY_MS = 500;

export interface RedisBusOptions {
  readonly place: RedisPlace;
  /** PEM certificates of the authorities that may have signed that of Redis. Default: those Deno knows. */
  readonly ca?: string;
  /** Told of every failed attempt and every loss; it may be called often. */
  readonly onError: (error: unknown) => void;
}

/** Its owner closes it. */
export interface RedisBus {
  /** Runs a script. All keys lie in one slot. Rejects when Redis cannot be reached, or refuses it. */
  run(
    script: string,
    keys: readonly [string, ...string[]],
    args: readonly string[],
  ): Promise<unknown>;
  /** Calls back for each message of a channel, also after the connection was lost and made again. */
  listen(channel: string, onMessage: (text: string) => void): Promise<void>;
  close(): void;
}

/** How long the first connection may take. */
const OPEN_MS = 5000;

/** Opens it. Rejects when Redis cannot be reached within some seconds, or the signal aborts: then nothing is left open. */
export async function openRedisBus(
  options: RedisBusOptions,
  signal: AbortSignal,
): Promise<RedisBus> {
  const bus = OPENED_BY[options.place.kind](options);
  try {
    const timely = AbortSignal.any([signal, AbortSignal.timeout(OPEN_MS)]);
    await unlessAborted(bus.connect(), timely);
    return bus;
  } catch (error) {
    bus.close();
    throw error;
  }
}

type Opening = RedisBus & { connect(): Promise<unknown> };

const OPENED_BY = { single, sentinel, cluster } as const;

/** What every connection is opened with. */
function settingsOf({ place: { tls, username, password }, ca }: RedisBusOptions) {
  return {
    RESP: 2 as const,
    disableOfflineQueue: true,
    pingInterval: PING_MS,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    socket: {
      ...(tls ? { tls: true as const, ...(ca === undefined ? {} : { ca }) } : {}),
      connectTimeout: SILENT_MS,
      socketTimeout: SILENT_MS,
      reconnectStrategy: (retries: number) =>
        Math.min(MAX_RETRY_MS, 20 * 2 ** Math.min(retries, 6)),
    },
  };
}

function evalOf(script: string, keys: readonly string[], args: readonly string[]): string[] {
  return ["EVAL", script, String(keys.length), ...keys, ...args];
}

function single(options: RedisBusOptions): Opening {
  const { place, onError } = options;
  const { socket, ...settings } = settingsOf(options);
  const { host, port } = place.hosts[0]!;
  const { database } = place;
  const client = createClient({
    ...settings,
    ...(database === undefined ? {} : { database }),
    socket: { ...socket, host, port },
  });
  // With RESP 2 a connection that listens to a channel takes no commands.
  const ear = client.duplicate();
  for (const each of [client, ear]) each.on("error", onError);
  return {
    connect: () => Promise.all([client.connect(), ear.connect()]),
    run: (script, keys, args) => client.sendCommand(evalOf(script, keys, args)),
    listen: (channel, onMessage) => ear.subscribe(channel, onMessage),
    close: () => [client, ear].forEach((each) => each.destroy()),
  };
}

function sentinel(options: RedisBusOptions): Opening {
  const { place, onError } = options;
  const { RESP, username: _u, password: _p, ...asked } = settingsOf(options);
  const { RESP: _, ...settings } = settingsOf(options);
  const { database, hosts, master } = place;
  const client = createSentinel({
    name: master!,
    RESP,
    sentinelRootNodes: [...hosts],
    // Sentinels have a password of their own, or none.
    sentinelClientOptions: asked,
    nodeClientOptions: { ...settings, ...(database === undefined ? {} : { database }) },
    scanInterval: PING_MS,
    passthroughClientErrorEvents: true,
  });
  client.on("error", onError);
  client.on("client-error", onError);
  return {
    connect: () => client.connect(),
    run: (script, keys, args) => client.sendCommand(false, evalOf(script, keys, args)),
    listen: async (channel, onMessage) => void await client.subscribe(channel, onMessage),
    close: () => void Promise.resolve(client.destroy()).catch(onError),
  };
}

function cluster(options: RedisBusOptions): Opening {
  const { place, onError } = options;
  const { RESP, ...defaults } = settingsOf(options);
  const client = createCluster({
    RESP,
    rootNodes: place.hosts.map((at) => ({ socket: { ...defaults.socket, ...at } })),
    defaults,
  });
  client.on("error", onError);
  return {
    connect: () => client.connect(),
    run: (script, keys, args) => client.sendCommand(keys[0], false, evalOf(script, keys, args)),
    listen: (channel, onMessage) => client.subscribe(channel, onMessage),
    close: () => client.destroy(),
  };
}
