import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { newRelayStats } from "../relay/stats.ts";
import { memoryPair } from "../transport/memory/memory.ts";
import { alpnOf, VERSIONS } from "../wire/versions.ts";
import { acceptSession } from "./accept.ts";
import { NoCommonVersion, SessionRefused } from "./errors.ts";
import { openSession } from "./open.ts";
import type { CloseReason } from "./reasons.ts";
import type { SessionOptions } from "./session.ts";

/** A session of two, at either end. */
async function both(protocol: string, options: Partial<SessionOptions> = {}) {
  const [near, far] = memoryPair({ protocol });
  const shared = { hop: 0n, stats: newRelayStats(), clock: new ManualClock() };
  const [client, server] = await Promise.allSettled([
    openSession({ ...shared, connection: near, versions: VERSIONS }),
    acceptSession({ ...shared, connection: far, ...options }),
  ]);
  return { near, client, server };
}

for (const version of VERSIONS) {
  Deno.test(`openSession() finds out by ALPN or by the first message that ${version} is spoken`, async () => {
    const { client, server } = await both(alpnOf(version), { versions: [version] });
    assert.ok(client.status === "fulfilled" && server.status === "fulfilled");
    assert.deepEqual([client.value.version, server.value.version], [version, version]);
    client.value.close();
    await Promise.all([client.value.closed, server.value.closed]);
  });
}

Deno.test("openSession() speaks moq-lite alone unless it is told otherwise", async () => {
  const [near, far] = memoryPair({ protocol: "moqt-18" });
  const shared = { hop: 0n, stats: newRelayStats() };
  void acceptSession({ ...shared, connection: far }).catch(() => {});
  await assert.rejects(openSession({ ...shared, connection: near }), NoCommonVersion);
});

Deno.test("openSession() speaks no version that it was not given", async () => {
  const { near, server } = await both("moq-lite-06", { versions: ["moq-lite-05"] });
  assert.ok(server.status === "rejected" && server.reason instanceof NoCommonVersion);
  assert.equal((await near.closed).code, 0x15);
});

const CODES: Readonly<Record<CloseReason, number>> = {
  none: 0,
  internal: 1,
  unauthorized: 2,
  protocolViolation: 3,
  goawayTimeout: 0x10,
  controlTimeout: 0x11,
  version: 0x15,
  notFound: 64 + 404,
  misdirected: 64 + 421,
  tooMany: 64 + 429,
  unreachable: 64 + 502,
  unavailable: 64 + 503,
};

Deno.test("a session is closed for a reason, which the peer gets as a code and both read back", async () => {
  for (const [reason, code] of Object.entries(CODES) as [CloseReason, number][]) {
    const { near, client, server } = await both("moq-lite-04");
    assert.ok(client.status === "fulfilled" && server.status === "fulfilled");
    assert.equal(server.value.close(reason, "so it is"), code);
    assert.deepEqual(await near.closed, { code, reason: "so it is", abrupt: false });
    assert.equal(client.value.reasonFor(code), reason);
  }
});

Deno.test("a code of the application closes a session too, and has no word", async () => {
  const { near, client, server } = await both("moq-lite-04");
  assert.ok(client.status === "fulfilled" && server.status === "fulfilled");
  assert.equal(server.value.close(7), 7);
  assert.equal((await near.closed).code, 7);
  assert.equal(client.value.reasonFor(7), undefined);
});

Deno.test("who is refused at the entry gets the reason's code", async () => {
  const enter = () => Promise.reject(new SessionRefused("misdirected", "not here"));
  const { near, server } = await both("moq-lite-06", { enter });
  assert.equal(server.status, "rejected");
  assert.deepEqual(await near.closed, {
    code: 64 + 421,
    reason: "Refused: not here",
    abrupt: false,
  });
});
