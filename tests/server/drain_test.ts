/** A relay drains: it accepts nobody new, and viewers move to another relay of the same broadcast without losing a group. */
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { type RelayProgram, startRelay } from "../support/program.ts";
import { until } from "../support/server.ts";

const VIEWERS = 20;
const posix = { ignore: Deno.build.os === "windows" };

/** A publisher at an upstream relay, two relays below it, and viewers at the first of them. */
async function twoRelays(scheme: "https" | "moqt") {
  const upstream = await startRelay();
  const below = (goaway = "") =>
    startRelay([
      ...["--relay.upstream_url", upstream.url, "--server.drain_timeout", "10s"],
      ...["--server.goaway_uri", goaway],
    ]);
  const second = await below();
  const first = await below(`${scheme}://127.0.0.1:${second.port}/`);
  const ca = await Promise.all([first, second].map(({ certFile }) => Deno.readTextFile(certFile)));
  const at = (relay: RelayProgram) => `${scheme}://127.0.0.1:${relay.port}/`;

  const publisher = await connect(upstream.url);
  const track = publisher.publish("live").track("numbers", { maxAgeMs: 30_000 });
  let written = 0;
  const writing = setInterval(() => track.write(String(written++)), 100);

  const moved: string[] = [];
  const viewers = await Promise.all(Array.from({ length: VIEWERS }, async () => {
    const client = await connect(at(first), {
      caCerts: ca,
      reconnect: { minMs: 50, maxMs: 500 },
      groupCacheSize: 256,
      onstatus: (status) => status.state === "moving" && moved.push(status.url),
    });
    const groups: number[] = [];
    for await (const { path, active } of client.announced()) if (path === "live" && active) break;
    void (async () => {
      const options = { ordered: true, maxLatencyMs: 30_000 };
      for await (const group of client.subscribe("live", "numbers", options)) {
        for await (const { payload } of group) {
          const text = new TextDecoder().decode(payload);
          assert.equal(text, String(group.sequence));
        }
        groups.push(group.sequence);
      }
    })().catch(() => {});
    return { client, groups };
  }));
  await until(() => viewers.every(({ groups }) => groups.length > 5), "everybody to watch", 30_000);
  return {
    first,
    second,
    moved,
    at,
    ca,
    /** Groups that a viewer missed or got twice, once all viewers have the newest. */
    async lost(): Promise<number> {
      const upTo = written;
      const there = () => viewers.every(({ groups }) => groups.at(-1)! >= upTo);
      await until(there, "the newest groups", 30_000);
      return viewers.filter(({ groups }) =>
        groups.some((group, i) => i > 0 && group !== groups[i - 1]! + 1)
      ).length;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(writing);
      await Promise.all(viewers.map(({ client }) => client[Symbol.asyncDispose]()));
      await publisher[Symbol.asyncDispose]();
      for (const relay of [first, second, upstream]) await relay[Symbol.asyncDispose]();
    },
  };
}

for (const [scheme, how] of [["moqt", "SIGTERM"], ["https", "POST /api/v1/drain"]] as const) {
  Deno.test(
    `${how}: viewers by ${scheme} move to the other relay, each group once and in order, and the exit code is 0`,
    posix,
    async () => {
      await using relays = await twoRelays(scheme);
      const { first, second } = relays;
      if (how === "SIGTERM") first.process.kill("SIGTERM");
      else {
        const answer = await fetch(`${first.adminUrl}/api/v1/drain`, { method: "POST" });
        assert.deepEqual([answer.status, await answer.json()], [202, { draining: true }]);
        const ready = await fetch(`${first.adminUrl}/ready`);
        assert.deepEqual([ready.status, (await ready.json()).reason], [503, "draining"]);
        await assert.rejects(connect(relays.at(first), { caCerts: relays.ca, timeoutMs: 3000 }));
      }
      assert.equal(await first.ended(), 0);
      assert.deepEqual(new Set(relays.moved), new Set([relays.at(second)]));
      assert.equal(relays.moved.length, VIEWERS);
      assert.equal(await relays.lost(), 0, "viewers with a gap");
      const { sessions } = await (await fetch(`${second.adminUrl}/api/v1/sessions`)).json();
      assert.equal(sessions.length, VIEWERS + 1, "all are at the second, and its upstream");
    },
  );
}
