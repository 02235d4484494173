import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { type Client, connect } from "../../../client/mod.ts";
import { watchers } from "./audience.ts";
import type { ClusterNode, Site } from "./node.ts";
import { LASTING, Source } from "./source.ts";

/** Clients that hear what is announced, one at each relay. */
interface Listeners extends AsyncDisposable {
  /** What each was told of a path: "active", "ended", "active", … */
  told(path: string): string[][];
}

async function listenAt(sites: readonly Site[]): Promise<Listeners> {
  const clients: Client[] = [];
  const heard: { path: string; change: string }[][] = [];
  for (const { url } of sites) {
    const client = await connect(url, LASTING);
    const list: typeof heard[number] = [];
    clients.push(client);
    heard.push(list);
    void (async () => {
      for await (const { path, active } of client.announced()) {
        list.push({ path, change: active ? "active" : "ended" });
      }
    })();
  }
  return {
    told: (path) =>
      heard.map((list) => list.filter((one) => one.path === path).map((one) => one.change)),
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

/** What a relay has heard of its own announcements. */
const LOOPED = "qumo_announcements_looped_total";

/**
 * Publishes at the first node without a hop id: no node withdraws it, and once links and routes have settled none changes any
 * more. Until then the shorter way may take the place of a longer one that was told first.
 */
export async function neverFlaps(nodes: readonly ClusterNode[]): Promise<void> {
  await using listeners = await listenAt(nodes);
  await using source = await Source.start(nodes[0]!.url, {
    path: "anonymous",
    connect: { versions: ["moq-lite-02"] },
  });
  await using audience = await watchers(source, nodes);
  const told = () => listeners.told("anonymous");
  const state = async () => ({
    looped: await Promise.all(nodes.map((node) => node.metric(LOOPED))),
    routes: await Promise.all(
      nodes.map((node) => node.api("/api/v1/broadcasts?prefix=anonymous")),
    ),
    told: told(),
  });
  let before: Awaited<ReturnType<typeof state>> | undefined;
  let after = await state();
  for (let looks = 0; looks < MOST_LOOKS && !isDeepStrictEqual(before, after); looks++) {
    before = after;
    await audience.goesOn(3);
    after = await state();
  }
  await audience.goesOn(6);
  assert.deepEqual(await state(), before);
  for (const changes of told()) {
    assert.ok(changes.length > 0 && changes.every((change) => change === "active"), `${changes}`);
  }
}

/** How often it is looked whether routes have settled, each time after a second. */
const MOST_LOOKS = 10;
