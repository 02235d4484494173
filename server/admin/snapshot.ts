/**
 * What a node of the server looks like now. Only this file walks sessions, broadcasts and tracks, for the metrics and for
 * the admin interface. It makes plain data. Hop ids are decimal strings, because JSON numbers cannot hold all of them.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type {
  BroadcastJson,
  PublisherJson,
  SessionDetailJson,
  SessionJson,
  TrackJson,
} from "../../admin/shapes.ts";
import type { NodeNumbers } from "../../metrics/snapshot.ts";
import type { Broadcast } from "../../relay/broadcast.ts";
import type { Route } from "../../relay/route.ts";
import type { NodeView } from "./node_view.ts";
import type { Relay, RelaySession } from "../relay.ts";

export function sessionsOf(relay: Relay): SessionJson[] {
  return [...relay.sessions()].map(sessionJson);
}

/** @returns `undefined` when there is no such session. */
export function sessionOf(relay: Relay, id: number): SessionDetailJson | undefined {
  const entry = relay.session(id);
  if (entry === undefined) return undefined;
  const subscriptions = [...entry.session.served()].map(({ id, track, request }) => ({
    id,
    broadcast: track.broadcast,
    track: track.name,
    priority: request.priority,
    maxLatencyMs: request.maxLatencyMs,
    startGroup: request.startGroup ?? null,
    endGroup: request.endGroup ?? null,
  }));
  return { ...sessionJson(entry), subscriptions };
}

/** Broadcasts whose publishers are connected to this node. Siblings list their own. */
export function broadcastsOf(relay: Relay): BroadcastJson[] {
  return [...relay.origin.broadcasts()].map(([path, publishers]) => ({
    path,
    publishers: publishers.filter(isOwn).map((broadcast) => ({
      hop: broadcast.publisher?.toString() ?? null,
      lingering: broadcast.lingering,
      routes: broadcast.routes.filter(({ source }) => source.sibling !== true)
        .map((route) => routeJson(broadcast, route)),
      tracks: [...broadcast.tracks()].length,
    })),
  })).filter(({ publishers }) => publishers.length > 0);
}

function routeJson(
  { publisher }: Broadcast,
  { source, hops, warm, cold, tracks, onlyTracks = false }: Route,
): PublisherJson["routes"][number] {
  const [first, ...rest] = hops;
  // To others, all publishers of single tracks are one.
  const chain = onlyTracks && first !== undefined ? [publisher ?? 0n, ...rest] : hops;
  return {
    source: source.label,
    hops: chain.map(String),
    warm: finite(warm),
    cold: finite(cold),
    offered: tracks?.size ?? 0,
    onlyOffered: onlyTracks,
  };
}

function isOwn(broadcast: Broadcast): boolean {
  return broadcast.lingering || broadcast.routes.some(({ source }) => source.sibling !== true);
}

/** A track of a node, and whether a sibling feeds it. */
export interface NodeTrack extends TrackJson {
  readonly mirrored: boolean;
}

export function tracksOf(relay: Relay): NodeTrack[] {
  return everyBroadcast(relay).flatMap((broadcast) =>
    [...broadcast.tracks()].map(({ track, route }): NodeTrack => ({
      mirrored: route?.source.sibling === true,
      broadcast: track.broadcast,
      track: track.name,
      subscribers: track.viewers,
      upstreamSubscriptions: route === undefined ? 0 : 1,
      route: route?.source.label ?? null,
      groupsKept: track.ring.size,
      newestGroup: track.ring.newest?.sequence ?? null,
      groupsIn: track.groupsIn,
      framesIn: track.framesIn,
      bytesIn: track.bytesIn,
      groupsEvicted: track.ring.evicted,
      info: track.info,
    }))
  );
}

export async function numbersOf(node: NodeView): Promise<NodeNumbers> {
  const eventLoopDelaySeconds = await eventLoopDelay();
  const { relay } = node;
  const { stats, counters } = relay;
  const memory = Deno.memoryUsage();
  return {
    sessions: { ...counters, open: openSessions(relay) },
    quicHandshakesFailed: node.handshakesFailed,
    webTransportAnswers: node.webTransportAnswers,
    webSocketAnswers: node.webSocketAnswers,
    refused: node.admission.refused,
    ...contentOf(relay),
    linked: linkedOf(relay),
    media: { ...stats },
    pool: { ...relay.pool.stats },
    limited: { ...relay.hits },
    handshakes: relay.doorkeeper.handshakes,
    strayFailures: node.strays?.count ?? 0,
    heap: { total: memory.heapTotal, used: memory.heapUsed, external: memory.external },
    eventLoopDelaySeconds,
  };
}

function sessionJson({ id, session, startedAtMs, dialed, grant }: RelaySession): SessionJson {
  return {
    id,
    transport: session.connection.kind,
    version: session.version,
    remote: session.connection.remoteAddress,
    root: session.root,
    startedAt: new Date(startedAtMs).toISOString(),
    dialed,
    hop: session.peerHop.toString(),
    subscriptionsServed: session.servedCount,
    subscriptionsUpstream: session.subscriptions,
    announcements: session.announcements,
    jti: grant?.jti ?? null,
    sub: grant?.sub ?? null,
  };
}

function openSessions(relay: Relay): NodeNumbers["sessions"]["open"] {
  return [...relay.sessions()].map(({ session }) => ({
    transport: session.connection.kind,
    version: session.version,
    count: 1,
  }));
}

function linkedOf(relay: Relay): NodeNumbers["linked"] {
  return [...relay.sessions()].filter(({ peer, dialed }) => peer || dialed)
    .map(({ id, session }) => ({
      session: id,
      announcements: session.announcements,
      served: session.servedCount,
      upstream: session.subscriptions,
    }));
}

function contentOf(
  relay: Relay,
): Pick<NodeNumbers, "broadcasts" | "tracks" | "groupsKept" | "subscriptions"> {
  let [lingering, live, tracks, groupsKept, served, upstream] = [0, 0, 0, 0, 0, 0];
  for (const broadcast of everyBroadcast(relay)) {
    if (broadcast.lingering) lingering++;
    else if (isOwn(broadcast)) live++;
    for (const { track, route } of broadcast.tracks()) {
      if (route?.source.sibling !== true) tracks++;
      groupsKept += track.ring.size;
    }
  }
  for (const { session } of relay.sessions()) {
    served += session.servedCount;
    upstream += session.subscriptions;
  }
  return {
    broadcasts: { live, lingering },
    tracks,
    groupsKept,
    subscriptions: { served, upstream },
  };
}

function everyBroadcast(relay: Relay): Broadcast[] {
  return [...relay.origin.broadcasts()].flatMap(([, publishers]) => publishers);
}

/** JSON has no infinity. */
const finite = (cost: number) => Number.isFinite(cost) ? cost : null;

/** How late a callback is called, in seconds. */
function eventLoopDelay(): Promise<number> {
  const due = performance.now();
  return new Promise((resolve) => {
    setImmediate(() => resolve((performance.now() - due) / 1000));
  });
}
