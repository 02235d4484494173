/** A node at its capacity, over real sockets. */
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { ConnectFailed } from "../../transport/errors.ts";
import { launch, type Launched, until } from "../support/server.ts";
import { webSocketAnswer } from "../support/peers/web_socket_answer.ts";

async function counted(relay: Launched, what: string): Promise<number> {
  const text = await (await fetch(`${relay.adminUrl}/metrics`)).text();
  return Number(text.split("\n").find((line) => line.startsWith(what))?.split(" ").at(-1));
}

async function statusOf(dialing: Promise<unknown>): Promise<number | undefined> {
  const error = await dialing.then(() => undefined, (error) => error);
  assert.ok(error instanceof ConnectFailed, `${error}`);
  return error.status;
}

Deno.test("a node at server.capacity_sessions sends newcomers to /route over every transport, and those inside stay", async () => {
  await using relay = await launch({ flags: { "server.capacity_sessions": "2" } });
  await using first = await relay.client("moqt");
  const second = await relay.client("https");
  await until(() => relay.server.sessionCount === 2, "both sessions");
  assert.equal(await statusOf(relay.client("https")), 503);
  const { status, headers } = await webSocketAnswer(relay.port, "/live/x?jwt=secret");
  assert.equal(status, 503);
  assert.equal(headers.get("retry-after"), "2");
  assert.equal(headers.get("link"), '</route?path=%2Flive%2Fx>; rel="alternate"');
  const third = await relay.client("moqt");
  const { code, reason } = await third.closed;
  assert.equal(code, 64 + 503);
  assert.match(reason, /GET \/route names others/);
  assert.equal(await counted(relay, 'qumo_limited_total{limit="capacity"}'), 3);
  assert.equal(await counted(relay, 'qumo_refused_total{reason="full"}'), 3);
  const route = await fetch(`http://127.0.0.1:${relay.port}/route?path=x`);
  assert.deepEqual([route.status, await route.json()], [503, { nodes: [] }]);
  // What HTTP alone serves goes on.
  assert.equal(await fetch(`http://127.0.0.1:${relay.port}/announced`).then((a) => a.text()), "");
  first.publish("still/here");
  await until(() => relay.server.relay.origin.size === 1, "the first to be heard");
  await second.close();
  await until(() => relay.server.sessionCount === 1, "the second to leave");
  await using again = await relay.client("https");
  assert.ok(again);
});

Deno.test("a full node takes other nodes of its cluster, which show the secret", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "a secret of the tests, long enough");
  await using full = await launch({
    flags: { "server.capacity_sessions": "1", "cluster.secret_file": file },
  });
  await using _first = await full.client("moqt");
  await until(() => full.server.sessionCount === 1, "the session");
  assert.equal(await statusOf(full.client("https")), 503);
  await using other = await launch({
    flags: {
      "cluster.secret_file": file,
      "cluster.nodes": `http://127.0.0.1:${full.port}/`,
    },
  });
  await until(
    () => other.server.view.cluster.links.some(({ state }) => state === "connected"),
    "the link to the full node",
  );
  await Deno.remove(file);
});

Deno.test("a capacity counts the sessions of all worker threads, and each refuses", async () => {
  await using relay = await launch({
    flags: { "server.workers": "2", "server.capacity_sessions": "1" },
  });
  await using _first = await relay.client("moqt");
  await until(async () => {
    const { sessions } = await relay.api<{ sessions: unknown[] }>("/api/v1/sessions");
    return sessions.length === 1;
  }, "the session");
  for (const worker of [0, 1]) {
    const url = `https://127.0.0.1:${relay.port + worker}/`;
    assert.equal(await statusOf(connect(url, { hash: relay.certificate.sha256 })), 503);
  }
});
