/**
 * A server with several worker threads, over real QUIC: clients reach each worker by its own port, in place of the rule of
 * `qumo-relay ports` that spreads the public port.
 */
import assert from "node:assert/strict";
import type { Logger } from "../../base/logger.ts";
import { type Client, connect, type Subscription } from "../../client/mod.ts";
import { launch, type Launched, type LaunchOptions, until } from "../support/server.ts";

const launchWorkers = (count: number, options: LaunchOptions = {}) =>
  launch({ ...options, flags: { "server.workers": String(count), ...options.flags } });

/** A client of the worker with this number. @param version Default: the newest of moq-lite. */
function clientOf(server: Launched, worker: number, version?: string): Promise<Client> {
  const url = `moqt://127.0.0.1:${server.port + worker}/`;
  const versions = version === undefined ? {} : { versions: [version] };
  return connect(url, { hash: server.certificate.sha256, ...versions });
}

/** The version of a publisher, and those of viewers. */
const VERSIONS = [
  [undefined, [undefined, undefined, undefined, undefined]],
  ["moq-transport-18", ["moq-transport-18", undefined, "moq-transport-16", "moq-transport-22"]],
] as const;

/** What a subscription brings, as text, group by group. */
class Watching {
  readonly groups = new Map<number, string[]>();
  over = false;

  constructor(readonly subscription: Subscription) {
    void this.#read().catch(() => {}).finally(() => this.over = true);
  }

  get frames(): string[] {
    return [...this.groups.values()].flat();
  }

  async #read(): Promise<void> {
    for await (const group of this.subscription) {
      const frames: string[] = [];
      this.groups.set(group.sequence, frames);
      void (async () => {
        for await (const { payload } of group) frames.push(new TextDecoder().decode(payload));
      })().catch(() => {});
    }
  }
}

/** Waits until a client has heard of a broadcast. */
async function announced(client: Client, path: string): Promise<void> {
  for await (const news of client.announced()) if (news.path === path && news.active) return;
}

for (const [publishes, watch] of VERSIONS) {
  Deno.test(`a broadcast published through one worker on ${publishes ?? "moq-lite"} is watched through all, each frame once and in order`, async () => {
    await using server = await launchWorkers(3);
    await using publisher = await clientOf(server, 1, publishes);
    using broadcast = publisher.publish("live/one");
    const track = broadcast.track("video");
    const viewers = await Promise.all(
      [0, 1, 2, 2].map((worker, i) => clientOf(server, worker, watch[i])),
    );
    const watching = await Promise.all(viewers.map(async (client) => {
      await announced(client, "live/one");
      // Streams overtake each other, and a machine may be slow: it asks for all groups, in order, also when they are late.
      const wanted = { ordered: true, maxLatencyMs: 30_000 };
      return new Watching(client.subscribe("live/one", "video", wanted));
    }));
    await until(async () => {
      const { tracks } = await server.api<{ tracks: { subscribers: number }[] }>("/api/v1/tracks");
      return tracks.length === 1 && tracks[0]!.subscribers === 4;
    }, "four viewers");
    const sent: string[] = [];
    for (let sequence = 0; sequence < 20; sequence++) {
      const group = track.group();
      for (let frame = 0; frame < 5; frame++) {
        const text = `${sequence}.${frame} ${"x".repeat(frame * 700)}`;
        group.write(text);
        sent.push(text);
        if (frame % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      group.close();
    }
    await until(
      () => watching.every(({ frames }) => frames.length === sent.length),
      "every frame at every viewer",
    );
    for (const { frames } of watching) assert.deepEqual(frames, sent);

    const { sessions } = await server.api<{ sessions: { id: number }[] }>("/api/v1/sessions");
    assert.equal(new Set(sessions.map(({ id }) => id)).size, 5);
    for (const { id } of sessions) {
      assert.equal((await server.api<{ id: number }>(`/api/v1/sessions/${id}`)).id, id);
    }
    type Publishers = { path: string; publishers: { routes: unknown[] }[] }[];
    const { broadcasts } = await server.api<{ broadcasts: Publishers }>("/api/v1/broadcasts");
    assert.deepEqual(
      broadcasts.map(({ path, publishers }) => [path, publishers.map((p) => p.routes.length)]),
      [["live/one", [1]]],
    );
    const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text();
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics)?.[1]);
    assert.equal(value("qumo_workers"), 3);
    assert.equal(value("qumo_sessions_opened_total"), 5);
    assert.equal(value('qumo_broadcasts\\{state="live"\\}'), 1);
    await Promise.all(viewers.map((client) => client.close()));
  });
}

for (const [version] of VERSIONS) {
  Deno.test(`track info, fetches and refusals go between workers on ${version ?? "moq-lite"}`, async () => {
    await using server = await launchWorkers(2);
    await using publisher = await clientOf(server, 0, version);
    using broadcast = publisher.publish("b");
    const track = broadcast.track("t", { timescale: 90_000, maxAgeMs: 1234 });
    track.write("first");
    track.write("second".repeat(5000));
    await using viewer = await clientOf(server, 1, version);
    await announced(viewer, "b");
    const info = await viewer.trackInfo("b", "t");
    // moq-transport has neither: timestamps become microseconds.
    const expected = version === undefined ? [90_000, 1234] : [1_000_000, 5000];
    assert.deepEqual([info.timescale, info.maxAgeMs], expected);
    const group = await viewer.fetch("b", "t", 1);
    const frames: number[] = [];
    for await (const { payload } of group) frames.push(payload.length);
    assert.deepEqual(frames, [30_000]);
    await assert.rejects(async () => {
      for await (const _ of await viewer.fetch("b", "t", 99));
    });
    const nothing = new Watching(viewer.subscribe("b", "nothing"));
    await until(() => nothing.over, "the refusal");
  });
}

Deno.test("a publisher that is lost and comes back by another worker is watched on", async () => {
  await using server = await launchWorkers(2, {
    flags: { "server.idle_timeout": "2s", "server.keep_alive": "500ms" },
  });
  await using viewer = await clientOf(server, 1);
  const publish = async (worker: number) => {
    const client = await clientOf(server, worker);
    return { client, broadcast: client.publish("b") };
  };
  const first = await publish(0);
  first.broadcast.track("t").write("one");
  await announced(viewer, "b");
  const watching = new Watching(viewer.subscribe("b", "t"));
  await until(() => watching.frames.includes("one"), "the first frame");
  const second = await publish(1);
  await until(async () => {
    const { broadcasts } = await server.api<{ broadcasts: { publishers: unknown[] }[] }>(
      "/api/v1/broadcasts",
    );
    return broadcasts[0]?.publishers.length === 2;
  }, "the second publisher");
  await first.client.close();
  await until(async () => {
    const { broadcasts } = await server.api<{ broadcasts: { publishers: unknown[] }[] }>(
      "/api/v1/broadcasts",
    );
    return broadcasts[0]?.publishers.length === 1;
  }, "the first one's end");
  await using other = await clientOf(server, 0);
  await announced(other, "b");
  const again = new Watching(other.subscribe("b", "t"));
  second.broadcast.track("t").write("two");
  await until(
    () => again.frames.includes("two"),
    "the second publisher's frame through the other worker",
  );
  await second.client.close();
});

Deno.test("a drain lets a group finish that comes in by one worker and goes out by another", async () => {
  const server = await launchWorkers(2, { flags: { "server.drain_timeout": "10s" } });
  await using publisher = await clientOf(server, 0);
  const group = publisher.publish("b").track("t").group();
  await using viewer = await clientOf(server, 1);
  await announced(viewer, "b");
  const watching = new Watching(viewer.subscribe("b", "t"));
  group.write("begun");
  await until(() => watching.frames.includes("begun"), "the first frame");
  const closed = server.server.close();
  await until(() => server.server.relay.draining, "the drain");
  group.write("ended");
  group.close();
  await closed;
  await until(() => watching.frames.length === 2, "the end of the group");
  assert.deepEqual(watching.frames, ["begun", "ended"]);
});

Deno.test("a worker that dies is started anew, and everybody else stays", async () => {
  const lines: string[] = [];
  const log: Logger = {
    debug() {},
    info: (message, fields) => void lines.push(`${message} ${fields?.worker}`),
    warn() {},
    error: (message, fields) => void lines.push(`${message} ${fields?.worker} ${fields?.reason}`),
    with: (fields) => ({
      ...log,
      info: (m) => log.info(m, fields),
      error: (m, own) => log.error(m, { ...fields, ...own }),
    }),
  };
  const module = new URL("../support/programs/mortal_worker.js", import.meta.url).href;
  await using server = await launchWorkers(3, { log, module, flags: { "relay.linger": "0s" } });
  await using here = await clientOf(server, 2);
  here.publish("stays");
  await using there = await clientOf(server, 1);
  there.publish("goes");
  await announced(here, "goes");
  const gone = (async () => {
    for await (const news of here.announced()) if (news.path === "goes" && !news.active) return;
  })();
  Deno.env.set("QUMO_TEST_KILL_WORKER", "qumo-relay worker 1");
  await gone;
  Deno.env.delete("QUMO_TEST_KILL_WORKER");
  await until(
    () => lines.some((line) => line.startsWith("a worker is back 1")),
    "the worker",
    30_000,
  );
  assert.ok(
    lines.some((line) => /^a worker died .* 1 .*killed for a test/.test(line)),
    lines.join("\n"),
  );
  await using anew = await clientOf(server, 1);
  await announced(anew, "stays");
  anew.publish("again");
  await announced(here, "again");
});

Deno.test("workers whose port is taken say which", async () => {
  for (let tries = 0;; tries++) {
    const taken = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    try {
      await assert.rejects(
        launchWorkers(2, { flags: { "server.address": `127.0.0.1:${port - 1}` } }),
        { code: "QUMO_ADDRESS_IN_USE", address: `127.0.0.1:${port}` },
      );
      return;
    } catch (error) {
      if (tries === 5) throw error; // another process took the port first
    } finally {
      taken.close();
    }
  }
});
