/**
 * A relay, as a process of its own, ends and comes back on the same port. Its clients survive this.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Client, type ClientStatus, type DialOptions } from "../../client/mod.ts";
import { dial } from "../../transport/dial.ts";
import { alpnsOf, LITE_VERSIONS } from "../../wire/versions.ts";
import { type Program, start } from "../support/program.ts";
import { launch, until } from "../support/server.ts";

/** Starts a relay. The same directory means the same certificate. */
async function startRelay(dir: string, port = 0): Promise<Program & { readonly port: number }> {
  const program = start([
    "serve",
    ...["--server.address", `127.0.0.1:${port}`, "--server.cert_dir", dir],
    ...["--server.drain_timeout", "2s", "--logging.format", "json"],
  ]);
  const line = await program.saw(/"message":"started".*HTTP 127\.0\.0\.1:\d+/);
  return { ...program, port: Number(/\d+$/.exec(line)![0]) };
}

function lasting(url: string, hash: Uint8Array | undefined, options: DialOptions = {}) {
  const dialer = (to: URL, signal: AbortSignal) =>
    dial(to, {
      protocols: alpnsOf(LITE_VERSIONS),
      signal,
      timeoutMs: 2000,
      transport: { idleTimeoutMs: 2000, keepAliveMs: 500 },
      ...(hash === undefined ? {} : { hash }),
    });
  return Client.dial(url, dialer, {
    reconnect: { minMs: 50, maxMs: 500 },
    groupCacheSize: 256,
    ...options,
  });
}

async function certificateHash(port: number): Promise<Uint8Array> {
  const answer = await fetch(`http://127.0.0.1:${port}/certificate.sha256`);
  return Uint8Array.fromHex((await answer.text()).trim());
}

for (const scheme of ["moqt", "http"] as const) {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    Deno.test(`a relay ended by ${signal} and started again costs a subscription over ${scheme}:// no group`, async () => {
      const dir = await Deno.makeTempDir({ prefix: "qumo-relay-test-" });
      try {
        await liveThrough(scheme, signal, dir);
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    });
  }
}

async function liveThrough(
  scheme: "moqt" | "http",
  signal: "SIGTERM" | "SIGKILL",
  dir: string,
): Promise<void> {
  const first = await startRelay(dir);
  const { port } = first;
  await using _first = first;
  const hash = scheme === "moqt" ? await certificateHash(port) : undefined;
  const url = `${scheme}://127.0.0.1:${port}/`;
  const told: ClientStatus[] = [];
  await using publisher = await lasting(url, hash);
  await using viewer = await lasting(url, hash, { onstatus: (status) => told.push(status) });
  const track = publisher.publish("live").track("numbers", { maxAgeMs: 30_000 });
  const news: string[] = [];
  void (async () => {
    for await (const { path, active } of viewer.announced()) news.push(`${active}:${path}`);
  })();
  await until(() => news.length === 1, "the announcement");

  const got: string[] = [];
  const subscription = viewer.subscribe("live", "numbers", { ordered: true, maxLatencyMs: 30_000 });
  const reading = (async () => {
    for await (const group of subscription) {
      for await (const { payload } of group) {
        got.push(`${group.sequence}:${new TextDecoder().decode(payload)}`);
      }
    }
  })();
  let written = 0;
  const write = () => track.write(String(written++));
  const writing = setInterval(write, 50);
  try {
    await until(() => got.length >= 5, "the first groups");
    first.process.kill(signal);
    await first.ended();
    await until(() => told.some(({ state }) => state === "reconnecting"), "the loss to show");
    await using _second = await startRelay(dir, port);
    await until(() => viewer.status.state === "connected", "the viewer to come back", 15_000);
    await until(() => publisher.status.state === "connected", "the publisher to come back", 15_000);
    const back = written;
    await until(() => got.length > back + 5, "what was written since", 15_000);
    clearInterval(writing);
    await until(() => got.length === written, "the last group");
    assert.deepEqual(got, Array.from({ length: written }, (_, n) => `${n}:${n}`));
    assert.deepEqual(news, ["true:live"]);
    const lost = told.find(({ state }) => state === "reconnecting") as { reason: string };
    assert.notEqual(lost.reason, "");
    subscription.close();
    await reading;
  } finally {
    clearInterval(writing);
  }
}

Deno.test("clients of a relay that leaves move to the one it names, and no group is lost", async () => {
  await using next = await launch();
  await using first = await launch({
    flags: { "server.goaway_uri": `http://127.0.0.1:${next.port}/` },
  });
  const url = `http://127.0.0.1:${first.port}/`;
  const states: string[] = [];
  await using publisher = await lasting(url, undefined);
  const onstatus = ({ state }: ClientStatus) => states.push(state);
  await using viewer = await lasting(url, undefined, { onstatus });
  const track = publisher.publish("live").track("numbers");
  await viewer.announced("live").next();
  const got: number[] = [];
  const subscription = viewer.subscribe("live", "numbers", { ordered: true });
  const reading = (async () => {
    for await (const group of subscription) {
      for await (const _ of group) got.push(group.sequence);
    }
  })();
  const writing = setInterval(() => track.write("x"), 20);
  try {
    await until(() => got.length > 5, "the first groups");
    await first.server.close();
    const moved = track.nextGroup;
    await until(() => got.length > moved + 20, "groups by the next relay");
  } finally {
    clearInterval(writing);
  }
  await until(() => got.length === track.nextGroup, "the last group");
  assert.deepEqual(got, [...got.keys()]);
  assert.deepEqual(states.filter((state) => state !== "reconnecting"), [
    "connected",
    "moving",
    "connected",
  ]);
  assert.equal(viewer.remoteAddress, `127.0.0.1:${next.port}`);
  assert.equal(next.server.relay.sessionCount, 2);
  subscription.close();
  await reading;
});
