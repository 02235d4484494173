/**
 * `qumo-relay bench`: a small load on a real relay, and viewers of a fake relay that loses, repeats and cuts groups off.
 */
import assert from "node:assert/strict";
import type { BenchResult } from "../../load/figures/result.ts";
import { putStamp, wallMs } from "../../load/figures/stamp.ts";
import { Tally } from "../../load/figures/tally.ts";
import { keyOf, Viewer } from "../../load/bench/viewer.ts";
import type { Connection } from "../../transport/connection.ts";
import { listenQuic } from "../../transport/quic/quic.ts";
import { dialectOf, UNI } from "../../wire/lite/dialect.ts";
import { framed } from "../../wire/message.ts";
import { putVarint } from "../../wire/varint.ts";
import { fromFileUrl } from "../../tools/file_url.ts";
import { start, startRelay } from "../support/program.ts";
import { testCertificate, until } from "../support/server.ts";

const LOAD = ["--duration", "2s", "--ramp", "200ms", "--frame-size", "100:2000", "--json"];

async function bench(...args: string[]): Promise<BenchResult> {
  await using program = start(["bench", ...args]);
  assert.equal(await program.ended(), 0, program.output());
  const line = program.output().split("\n").find((l) => l.startsWith("{"));
  return JSON.parse(line ?? assert.fail(program.output()));
}

for (
  const { transport, version } of [
    { transport: "quic", version: "moq-lite-04" },
    { transport: "webtransport", version: "moq-lite-06" },
    { transport: "quic", version: "moq-transport-18" },
    { transport: "webtransport", version: "moq-transport-16" },
    { transport: "quic", version: "moq-lite-06,moq-transport-18" },
  ]
) {
  Deno.test(`bench finds every group of 20 viewers over ${transport}, ${version}`, async () => {
    await using relay = await startRelay();
    const result = await bench(
      ...[relay.url, ...LOAD, "--viewers", "20", "--group-size", "10", "--tracks", "2"],
      ...["--transport", transport, "--version", version, "--pid", `${relay.process.pid}`],
    );
    const { viewers, groups, latencyMs, relay: figures } = result;
    assert.deepEqual(
      [viewers.up, viewers.sessions, viewers.failed, viewers.lostSessions, viewers.silent],
      [20, 20, 0, 0, 0],
    );
    assert.deepEqual([groups.lost, groups.repeated, groups.cut], [0, 0, 0]);
    assert.ok(groups.seen >= 40 && result.frames > 0 && result.bytesPerSecond > 0);
    assert.ok(latencyMs.count > 0 && latencyMs.p50 > 0 && latencyMs.p50 <= latencyMs.max);
    assert.equal(result.firstFrameMs.count, 20);
    if (Deno.build.os === "linux") {
      assert.ok(figures!.cpuUsPerFrame! > 0 && figures!.rssBytes > 1 << 20);
      assert.ok(figures!.voluntarySwitches > 0);
      assert.equal(result.generator.workers[0]!.role, "publishers");
    }
  });
}

Deno.test("bench --scenario announce hears announcements, and tells people in lines", async () => {
  await using relay = await startRelay();
  await using program = start([
    ...["bench", relay.url, "--scenario", "announce", "--viewers", "3", "--duration", "1s"],
    ...["--ramp", "0s"],
  ]);
  assert.equal(await program.ended(), 0, program.output());
  assert.match(program.output(), /^viewers +3 of 3$/m);
  assert.match(program.output(), /^delivered +[1-9][\d.]* frames\/s/m);
  assert.match(program.output(), /^latency +p50 [\d.]+ ms, /m);
});

Deno.test("bench:load measures a relay of its own", async () => {
  const script = fromFileUrl(new URL("../../tools/bench_load.ts", import.meta.url));
  await using program = start(["--viewers", "3", "--duration", "1s", "--ramp", "0s"], { script });
  assert.equal(await program.ended(), 0, program.output());
  assert.match(program.output(), /^viewers +3 of 3$/m);
  assert.match(program.output(), /^relay /m, "what the relay itself used");
});

Deno.test("bench says what to do when there is no relay", async () => {
  await using program = start([
    ...["bench", "http://127.0.0.1:1/", "--viewers", "1", "--duration", "1s"],
  ]);
  assert.equal(await program.ended(), 1, program.output());
  assert.match(program.output(), /Is a relay running at 127\.0\.0\.1:1/);
});

const DIALECT = dialectOf("moq-lite-05");

/** A fake relay that sends what the test wants, regardless of the request. */
async function madeUpRelay(send: (connection: Connection) => void) {
  const { cert, key, sha256 } = await testCertificate();
  const listener = listenQuic({
    ...{ hostname: "127.0.0.1", port: 0, cert, key, protocols: [DIALECT.name] },
  });
  const held: unknown[] = [];
  (async () => {
    for await (const connection of listener) {
      // Holds the subscription's stream: Deno finishes a stream that nobody holds.
      held.push(connection, await connection.acceptBidi());
      send(connection);
    }
  })();
  return {
    target: {
      url: `moqt://127.0.0.1:${listener.addr.port}/`,
      hash: sha256.toHex(),
      versions: [DIALECT.name],
    },
    [Symbol.dispose]: () => listener.close(),
  };
}

function frame(size: number, last: boolean): Uint8Array {
  const bytes = new Uint8Array(size + 16);
  const at = putVarint(bytes, putVarint(bytes, 0, 0), size);
  putStamp(new DataView(bytes.buffer, at), wallMs(), last);
  return bytes.subarray(0, at + size);
}

async function sendGroup(
  connection: Connection,
  sequence: number,
  ...pieces: Uint8Array[]
): Promise<void> {
  const stream = await connection.openUni();
  const body = DIALECT.group.encode({ subscribe: 0, sequence, startFrame: 0 });
  stream.write(framed(body, UNI.group));
  for (const piece of pieces) stream.write(piece);
  stream.finish();
}

Deno.test("a viewer counts groups that a relay loses, repeats and cuts off", async () => {
  using relay = await madeUpRelay(async (connection) => {
    const [first, last] = [frame(100, false), frame(100, true)];
    await sendGroup(connection, 4, first, last);
    await sendGroup(connection, 3, first, last); // overtaken, not lost
    await sendGroup(connection, 6, first, last);
    await sendGroup(connection, 6, first, last); // repeated
    await sendGroup(connection, 7, first); // ends after a frame, but before the last one
    await sendGroup(connection, 8, first, last.subarray(0, 50)); // ends within a frame
    await sendGroup(connection, 9, first, Uint8Array.of(0x40)); // ends in half a varint
    await sendGroup(connection, 11, last);
  });
  const tally = new Tally();
  tally.measuring = true;
  const ending = new AbortController();
  const watch = [{ broadcast: "b", track: "t" }];
  const viewer = new Viewer({ startMs: 0, slow: false, watch, seed: 1 }, {
    ...{ target: relay.target, tally, signal: ending.signal },
  });
  await viewer.come();
  await until(() => tally.streamsEnded === 8, "the ends of all streams");
  ending.abort();
  viewer.end({ [keyOf("b", "t")]: 12 });
  // 5, 10 and 12 are lost.
  assert.deepEqual(tally.groups, { seen: 7, lost: 3, repeated: 1, cut: 3 });
  assert.equal(tally.frames, 12);
  assert.deepEqual([tally.bytes, tally.connected, tally.up, tally.silent], [1200, 1, 0, 0]);
  assert.equal(tally.firstFrameUs.count, 1);
});
