/** The faults of `deno task test:chaos`, a moment each, and what its parts promise. */
import assert from "node:assert/strict";
import { BadPath } from "../../tools/chaos/faults/bad_path.ts";
import { grown, parseGauges } from "../../tools/chaos/gauges.ts";
import { isLevel } from "../../tools/chaos/outcome.ts";
import { fromFileUrl } from "../../tools/file_url.ts";
import { launch, until } from "../support/server.ts";
import { start } from "../support/program.ts";

Deno.test("hostile peers of every kind beside honest ones: no group is lost, nothing is left, counters tell", async () => {
  const script = fromFileUrl(new URL("../../tools/chaos.ts", import.meta.url));
  await using chaos = start(["--short"], { script });
  const code = await chaos.ended();
  const told = chaos.output();
  assert.equal(code, 0, told);
  const by = (counter: string) => Number(new RegExp(`${counter} \\+(\\d+)`).exec(told)?.[1] ?? 0);
  for (
    const counter of [
      "qumo_session_violations_total",
      "qumo_handshake_failures_total",
      "qumo_streams_refused_total",
      "qumo_subscriptions_opened_total",
    ]
  ) assert.ok(by(counter) > 0, `${counter} tells nothing:\n${told}`);
});

Deno.test("an HTTP/3 connection on which nobody asks for a session counts as a handshake that failed", async () => {
  await using relay = await launch();
  const { connectAlpn } = await import("../../transport/quic/quic.ts");
  const connection = await connectAlpn(new URL(`https://127.0.0.1:${relay.port}/`), ["h3"], {
    protocols: [],
    hash: relay.certificate.sha256,
  });
  connection.close();
  await connection.closed;
  await until(
    () => relay.server.relay.counters.handshakesFailed === 1,
    "the failure to be counted",
  );
});

Deno.test("a path with bad weather loses packets, lets them overtake each other, and brings the rest back", async () => {
  const local = { transport: "udp", hostname: "127.0.0.1" } as const;
  const echo = Deno.listenDatagram({ ...local, port: 0 });
  const echoing = (async () => {
    for await (const [packet, from] of echo) await echo.send(packet, from);
  })().catch(() => {});
  let draws = 0;
  // Every tenth draw is a loss; delays go up and down.
  const random = () => draws++ % 10 === 0 ? 0 : (draws * 7 % 10 + 1) / 11;
  const path = new BadPath(
    (echo.addr as Deno.NetAddr).port,
    { lossPercent: 5, delayMs: 20, jitterMs: 20 },
    random,
  );
  const client = Deno.listenDatagram({ ...local, port: 0 });
  try {
    const got: number[] = [];
    void (async () => {
      for await (const [packet] of client) got.push(packet[0]!);
    })().catch(() => {});
    for (let i = 0; i < 50; i++) await client.send(Uint8Array.of(i), { ...local, port: path.port });
    await until(() => path.lost > 0 && got.length > 0 && got.length + path.lost === 50, "the rest");
    assert.notDeepEqual(got, got.toSorted((a, b) => a - b));
    assert.equal(new Set(got).size, got.length);
  } finally {
    path[Symbol.dispose]();
    client.close();
    echo.close();
    await echoing;
  }
});

Deno.test("parseGauges() sums over labels, and grown() tells what changed, limits one by one", () => {
  const limit = 'qumo_limited_total{limit="max_sessions"}';
  const before = parseGauges('# HELP a b\na_total{x="1"} 2\na_total{x="2"} 3\nb 1\n');
  assert.deepEqual([before.get("a_total"), before.get('a_total{x="2"}'), before.get("b")], [
    5,
    3,
    1,
  ]);
  const after = parseGauges(`a_total{x="1"} 9\nb 1\nc 4\n${limit} 2\n`);
  assert.deepEqual(grown(before, after, ["a_total", "b", "c"]), { a_total: 4, c: 4, [limit]: 2 });
});

Deno.test("isLevel() judges the last time against the one before", () => {
  assert.equal(isLevel([100, 115]), true);
  assert.equal(isLevel([100, 120]), false);
  assert.equal(isLevel([100, 200, 210]), true);
});
