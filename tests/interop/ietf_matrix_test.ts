/**
 * Peers of moq-dev on moq-transport at our relay: with themselves, and with our client on moq-lite. They take and send only
 * subgroup 0 and ids without gaps, so this is the bridge more than the protocol.
 */
import assert from "node:assert/strict";
import { launchChromium } from "../support/pages/chromium.ts";
import { ourRelay, runMatrix } from "../support/peers/interop_cells.ts";
import {
  type MatrixPeer,
  moqPeer,
  netPeer,
  ours,
  speaking,
} from "../support/peers/interop_peers.ts";
import { optional } from "../support/optional.ts";
import { need } from "../support/require.ts";

const moq = optional("moq");
const lite = speaking("moq-lite-06", ours);

/** Each of them publishes, and each watches. */
async function allRead(peers: readonly MatrixPeer[], transport: "quic" | "webtransport") {
  await using relay = await ourRelay();
  const cells = await runMatrix({
    relays: [relay],
    peers,
    versions: ["each its own"],
    transports: [transport],
    parallel: 4,
  });
  assert.deepEqual(cells.filter(({ outcome }) => outcome !== "pass"), []);
}

Deno.test({
  name: "@moq/net on moq-transport and our client on moq-lite read each other through our relay",
  ignore: !need("chromium").ok,
  async fn() {
    await using browser = await launchChromium();
    const net = await netPeer(browser);
    const drafts = [16, 18].map((draft) => speaking(`moq-transport-${draft}`, net));
    await allRead([lite, ...drafts], "webtransport");
  },
});

Deno.test({
  name: "moq on moq-transport and our client on moq-lite read each other through our relay",
  ignore: !moq.ok || !need("ffmpeg").ok,
  async fn() {
    const program = moqPeer(moq.path!);
    const drafts = [14, 18].map((draft) => speaking(`moq-transport-${draft}`, program));
    await allRead([lite, ...drafts], "quic");
  },
});
