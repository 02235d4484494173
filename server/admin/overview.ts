/**
 * The server as a whole: asks every node and puts the answers together.
 *
 * @module
 */
import process from "node:process";
import type {
  BroadcastJson,
  PublisherJson,
  SessionDetailJson,
  SessionJson,
  TrackJson,
} from "../../admin/shapes.ts";
import type { MetricsSnapshot, NodeNumbers } from "../../metrics/snapshot.ts";
import type { CloseReason } from "../../session/reasons.ts";
import { answer, type Answers, type Question } from "./questions.ts";
import type { Revoked } from "../auth/revocations.ts";
import { type LinkView, parentsOf } from "../cluster/cluster_view.ts";
import { clusterNumbers } from "./cluster_numbers.ts";
import type { ServerView } from "./server_view.ts";
import { readUdpDrops } from "../socket_buffers.ts";

export async function sessions(view: ServerView): Promise<SessionJson[]> {
  return (await ask(view, { about: "sessions" })).flat();
}

/** @returns `undefined` when there is no such session. */
export async function session(
  view: ServerView,
  id: number,
): Promise<SessionDetailJson | undefined> {
  return (await ask(view, { about: "session", id })).find((found) => found !== undefined);
}

export async function broadcasts(view: ServerView): Promise<BroadcastJson[]> {
  const byPath = new Map<string, PublisherJson[]>();
  for (const { path, publishers } of (await ask(view, { about: "broadcasts" })).flat()) {
    const here = byPath.get(path) ?? [];
    byPath.set(path, here);
    for (const publisher of publishers) {
      const known = publisher.hop === null
        ? -1
        : here.findIndex(({ hop }) => hop === publisher.hop);
      if (known < 0) here.push(publisher);
      else here[known] = joined(here[known]!, publisher);
    }
  }
  return [...byPath].map(([path, publishers]) => ({ path, publishers }));
}

/** The same publisher, connected to two nodes. */
function joined(a: PublisherJson, b: PublisherJson): PublisherJson {
  return {
    hop: a.hop,
    lingering: a.lingering && b.lingering,
    routes: [...a.routes, ...b.routes],
    tracks: Math.max(a.tracks, b.tracks),
  };
}

/** Every track once, as the node has it that receives it, with the subscribers of all nodes. */
export async function tracks(view: ServerView): Promise<TrackJson[]> {
  const all = (await ask(view, { about: "tracks" })).flat();
  const own = new Map<string, { json: TrackJson; more: number }>();
  const list: { json: TrackJson; more: number }[] = [];
  const put = (json: TrackJson) => {
    const entry = { json, more: 0 };
    list.push(entry);
    const key = keyOf(json);
    if (!own.has(key)) own.set(key, entry);
  };
  for (const { mirrored, ...json } of all) if (!mirrored) put(json);
  for (const { mirrored, ...json } of all) {
    if (!mirrored) continue;
    const entry = own.get(keyOf(json));
    if (entry === undefined) put(json);
    else entry.more += json.subscribers;
  }
  return list.map(({ json, more }) => ({ ...json, subscribers: json.subscribers + more }));
}

const keyOf = ({ broadcast, track }: TrackJson) => `${broadcast}\0${track}`;

/** All numbers of the metrics. */
export async function metrics(view: ServerView): Promise<MetricsSnapshot> {
  const udpReceiveDrops = await readUdpDrops();
  const nodes = await ask(view, { about: "numbers" });
  const { linked, ...numbers } = nodes.reduce(together);
  const { relay, cluster, startedAtMs } = view;
  const parents = parentsOf(cluster);
  const cpu = process.cpuUsage();
  return {
    ...numbers,
    startedAtMs,
    uptimeMs: relay.context.clock.wallMs() - startedAtMs,
    draining: relay.draining,
    upstream: parents.all.length === 0 ? undefined : {
      connected: parents.connected,
      attempts: sumOf(parents.all, "attempts"),
      links: sumOf(parents.all, "links"),
    },
    cluster: clusterNumbers(cluster, linked),
    storage: view.dvr && {
      ...view.dvr.store.stats,
      recording: view.dvr.recording,
      notRecorded: view.dvr.notRecorded,
      groupsLost: view.dvr.groupsLost,
    },
    plugins: view.plugins?.numbers() ?? [],
    hooks: view.hooks?.numbers() ?? [],
    udpReceiveDrops,
    certificateNotAfterMs: view.certificate.notAfterMs,
    process: {
      rssBytes: Deno.memoryUsage().rss,
      cpuUserSeconds: cpu.user / 1e6,
      cpuSystemSeconds: cpu.system / 1e6,
    },
    workers: nodes.length,
  };
}

const sumOf = (links: readonly LinkView[], name: "attempts" | "links") =>
  links.reduce((sum, link) => sum + link[name], 0);

/** The numbers of two nodes together. */
function together(a: NodeNumbers, b: NodeNumbers): NodeNumbers {
  const eventLoopDelaySeconds = Math.max(a.eventLoopDelaySeconds, b.eventLoopDelaySeconds);
  return { ...sum(a, b), eventLoopDelaySeconds };
}

/** Adds up numbers, also those in objects and maps, and joins lists. Both have the same shape. */
// deno-lint-ignore no-explicit-any
function sum(a: any, b: any): any {
  if (typeof a === "number") return a + b;
  if (Array.isArray(a)) return a.concat(b);
  if (a instanceof Map) {
    const all = new Map(a);
    for (const [key, n] of b) all.set(key, (all.get(key) ?? 0) + n);
    return all;
  }
  return Object.fromEntries(Object.entries(a).map(([key, n]) => [key, sum(n, b[key])]));
}

/** Closes one session of any node. @returns False when no session has that number. */
export async function kick(
  view: ServerView,
  id: number,
  why: CloseReason | number,
  reason: string,
): Promise<boolean> {
  return (await ask(view, { about: "kick", id, why, reason })).some((done) => done);
}

/** Takes tokens back on every node, as {@link Relay.revoke} does. @returns How many sessions were closed. */
export async function revoke(
  view: ServerView,
  revoked: Revoked,
  untilMs?: number,
): Promise<number> {
  const until = untilMs === undefined ? {} : { untilMs };
  const closed = await ask(view, { about: "revoke", revoked, ...until });
  return closed.reduce((sum, count) => sum + count, 0);
}

/** Asks every node, this one first. */
async function ask<Q extends Question>(
  view: ServerView,
  question: Q,
): Promise<Answers[Q["about"]][]> {
  const [own, others] = await Promise.all([
    answer(view.node, question),
    view.others?.ask(question),
  ]);
  return [own, ...others ?? []];
}
