/**
 * The interop matrix (docs/interop.md) with the peers of this machine: our client and @moq/net in every version, and moq-dev's
 * programs, if installed, in the newest version that they share with all others.
 */
import assert from "node:assert/strict";
import { LITE_VERSIONS } from "../../wire/versions.ts";
import { launchChromium } from "../support/pages/chromium.ts";
import { type Cell, moqRelay, ourRelay, runMatrix } from "../support/peers/interop_cells.ts";
import { missingOf } from "../support/group_run.ts";
import { type MatrixPeer, moqPeer, netPeer, ours } from "../support/peers/interop_peers.ts";
import { optional } from "../support/optional.ts";
import { need } from "../support/require.ts";
import { interopDocument } from "../../tools/interop_matrix.ts";

const chromium = need("chromium").ok;
const moq = optional("moq");
const relay = optional("moq-relay");
const PARALLEL = 4;

function allPassed(cells: readonly Cell[], count: number): void {
  assert.deepEqual(cells.filter(({ outcome }) => outcome === "fail"), []);
  assert.equal(cells.filter(({ outcome }) => outcome === "pass").length, count);
}

Deno.test("our client reads what it publishes through our relay, in every version, over every transport", async () => {
  await using relay = await ourRelay();
  const options = { relays: [relay], peers: [ours], versions: LITE_VERSIONS, parallel: PARALLEL };
  allPassed(await runMatrix(options), 18);
});

Deno.test({
  name: "our client and @moq/net read each other through our relay, in every version both have",
  ignore: !chromium,
  async fn() {
    await using relay = await ourRelay();
    await using browser = await launchChromium();
    const peers = [ours, await netPeer(browser)];
    const cells = await runMatrix({
      relays: [relay],
      peers,
      versions: LITE_VERSIONS.filter((version) => peers[1]!.lacks(version) === undefined),
      parallel: PARALLEL,
    });
    // Four versions; over raw QUIC and WebSocket all pairs but the browser with itself.
    allPassed(cells, 4 * (4 + 3 + 3));
  },
});

Deno.test({
  name: "our client, @moq/net and moq read each other through moq-relay in moq-lite-05",
  ignore: !chromium || !relay.ok,
  async fn() {
    await using other = await moqRelay(relay.path!);
    await using browser = await launchChromium();
    const peers: MatrixPeer[] = [ours, await netPeer(browser)];
    if (moq.ok && need("ffmpeg").ok) peers.push(moqPeer(moq.path!));
    const versions = ["moq-lite-05"];
    const cells = await runMatrix({
      relays: [other],
      peers,
      versions,
      parallel: PARALLEL,
      attempts: 2,
    });
    allPassed(cells, peers.length ** 2 * 3 - 2);
  },
});

Deno.test("missingOf() finds the gap, whatever order the groups came in", () => {
  assert.equal(missingOf([5, 3, 4], 3), undefined);
  assert.equal(missingOf([3, 5, 6], 3), 4);
  assert.equal(missingOf([7, 8], 3), 9);
});

Deno.test("the document shows each cell, and gives the reasons of those that failed or do not exist", () => {
  const cell = {
    publisher: "a",
    relay: "r",
    subscriber: "b",
    transport: "quic",
    before: [],
  } as const;
  const text = interopDocument(
    [
      { ...cell, version: "moq-lite-05", outcome: "pass", note: "8 groups", before: ["too slow"] },
      { ...cell, version: "moq-lite-04", outcome: "fail", note: "group 3 never came" },
      { ...cell, version: "moq-lite-03", outcome: "skip", note: "b does not offer it" },
    ],
    [["a", "1.2.3"]],
    "2026-01-01",
  );
  assert.match(text, /on 2026-01-01: 1 combinations passed, 1\s+failed, 1 do/);
  assert.ok(text.includes("| a → b | Q✓ W· S· | Q✗ W· S· | Q· W· S· |"), text);
  assert.ok(text.includes("- group 3 never came:\n  - a → r → b, moq-lite-04, quic"));
  assert.ok(text.includes("- a → r → b, moq-lite-05, quic; before: too slow"));
  assert.ok(text.includes("- b does not offer it: 1 combinations"));
  assert.ok(text.includes("| a | 1.2.3 |"));
});
