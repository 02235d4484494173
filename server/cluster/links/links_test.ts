import assert from "node:assert/strict";
import { silent } from "../../../base/logger.ts";
import {
  join,
  lite,
  type TestRelay,
  testRelay,
  tick,
  Viewer,
} from "../../../session/peers_test.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { ConnectFailed } from "../../../transport/errors.ts";
import { type MemoryConnection, memoryPair } from "../../../transport/memory/memory.ts";
import { alpnOf } from "../../../wire/versions.ts";
import { fullGrant } from "../../auth/grant.ts";
import { incomingPeers } from "./incoming.ts";
import { Links } from "./links.ts";
import type { WantedLink } from "./wanted_link.ts";

const NODE = { role: "peer", cost: 1 } as const;
const a: WantedLink = { url: "https://a.example/", ...NODE };
const b: WantedLink = { url: "https://b.example/", ...NODE };

/** Relays that dial each other in memory, by host name: "a" is at https://a.example/. */
class Stage {
  readonly clock = new ManualClock();
  readonly relays = new Map<string, TestRelay>();
  /** Every dial, and the near end of each that came about. */
  readonly dialed: string[] = [];
  readonly ends: MemoryConnection[] = [];

  node(name: string, hop: bigint): { readonly relay: TestRelay; readonly links: Links } {
    const relay = testRelay({ hop, clock: this.clock });
    this.relays.set(name, relay);
    const links = new Links({
      relay: relay.relay,
      log: silent,
      clock: this.clock,
      random: () => 1,
      dialing: ({ role }) => ({
        backoff: () => ({ minMs: 1000, maxMs: 8000 }),
        dial: (url) => {
          this.dialed.push(`${name}>${new URL(url).host[0]}`);
          const at = this.relays.get(new URL(url).hostname.split(".")[0]!);
          if (at === undefined) return Promise.reject(new ConnectFailed(url, "refused"));
          const [near, far] = memoryPair({ protocol: alpnOf(lite(6).name) });
          this.ends.push(near);
          const grant = fullGrant("");
          void at.relay.accept(
            far,
            () => Promise.resolve({ grant: role === "peer" ? { ...grant, peer: true } : grant }),
          );
          return Promise.resolve({ connection: near, url });
        },
      }),
    });
    relay.relay.onPeers = () => links.incoming(0, incomingPeers(relay.relay));
    return { relay, links };
  }

  async after(ms: number): Promise<void> {
    this.clock.advance(ms);
    await tick(5);
  }
}

const shown = ({ views }: Links): string[] =>
  views.map(({ role, dialed, state, cost }) =>
    `${role} ${dialed ? "dialed" : "incoming"} ${state} ${cost}`
  );

async function closed(...nodes: { readonly relay: TestRelay; readonly links: Links }[]) {
  for (const { relay, links } of nodes) {
    links.stop();
    await relay.relay.close();
  }
}

Deno.test("links are dialed that are wanted, closed that are not wanted any more, and left alone that stay", async () => {
  const stage = new Stage();
  const [x, one, two] = [stage.node("x", 1n), stage.node("a", 2n), stage.node("b", 3n)];
  x.links.want([a]);
  await tick(5);
  x.links.want([a, b]);
  await tick(5);
  assert.deepEqual(stage.dialed, ["x>a", "x>b"]);
  assert.deepEqual(x.links.views.map(({ hop, version }) => [hop, version]), [
    ["2", "moq-lite-06"],
    ["3", "moq-lite-06"],
  ]);
  x.links.wantParents([{ ...b, role: "parent" }]);
  x.links.want([{ ...b, region: "north" }]);
  await tick(5);
  assert.deepEqual(shown(x.links), ["parent dialed connected 1", "peer dialed connected 1"]);
  assert.deepEqual([one.relay.relay.sessionCount, x.links.views[1]!.region], [0, "north"]);
  assert.equal((await stage.ends[0]!.closed).code, 0);
  x.links.stop();
  await tick(5);
  assert.equal(two.relay.relay.sessionCount, 0);
  await closed(x, one, two);
});

Deno.test("a link whose cost has changed is replaced without a gap, and viewers hear the new cost", async () => {
  const stage = new Stage();
  const [x, one] = [stage.node("x", 1n), stage.node("a", 2n)];
  x.links.want([{ ...a, cost: 5 }]);
  await tick(5);
  const publisher = await join(one.relay, 6);
  const track = publisher.client.publish("top").track("v");
  await tick(3);
  const watch = new Viewer((await join(x.relay, 6)).client.subscribe("top", "v"));
  await tick(3);
  track.write("0");
  await tick(3);
  const costOf = () => x.relay.relay.origin.find("top")!.routes.map(({ cold }) => cold);
  assert.deepEqual(costOf(), [6]);
  x.links.want([{ ...a, cost: 2 }]);
  await tick(5);
  assert.deepEqual(costOf().toSorted(), [3, 6], "the old one stays until the new one is there");
  track.write("1");
  await stage.after(10_000);
  assert.deepEqual(costOf(), [3]);
  track.write("2");
  await tick(3);
  assert.deepEqual([0, 1, 2].map((n) => watch.text(n)), ["0", "1", "2"]);
  assert.deepEqual([watch.end, shown(x.links)], [undefined, ["peer dialed connected 2"]]);
  assert.deepEqual(stage.dialed, ["x>a", "x>a"]);
  await closed(x, one);
});

Deno.test("of two nodes that dial each other at once the link of the lower hop id stays, and no viewer notices", async () => {
  const stage = new Stage();
  const [low, high] = [stage.node("a", 7n), stage.node("b", 8n)];
  low.links.want([b]);
  high.links.want([a]);
  const track = (await join(low.relay, 6)).client.publish("top").track("v");
  await tick(5);
  const watch = new Viewer((await join(high.relay, 6)).client.subscribe("top", "v"));
  await tick(3);
  track.write("0");
  await tick(3);
  assert.deepEqual(shown(high.links), ["peer dialed standby 1", "peer incoming connected 1"]);
  assert.deepEqual(high.links.views.map(({ url }) => url), [a.url, a.url]);
  await stage.after(1000);
  assert.equal((await stage.ends[1]!.closed).code, 0, "the higher one has closed its own");
  assert.deepEqual(shown(low.links), ["peer dialed connected 1"]);
  track.write("1");
  await stage.after(20_000);
  assert.deepEqual([watch.text(0), watch.text(1), watch.end], ["0", "1", undefined]);
  assert.equal(stage.dialed.length, 2, "it stands by and dials no more");

  stage.ends[0]!.drop();
  await tick(5);
  assert.deepEqual(stage.dialed.slice(2), ["b>a"], "at once, without a pause");
  assert.deepEqual(shown(high.links), ["peer dialed connected 1"]);
  track.write("2");
  await tick(5);
  assert.deepEqual([watch.text(2), watch.end], ["2", undefined]);
  // The lower one comes back a second later, and its link counts again.
  await stage.after(1000);
  assert.deepEqual(shown(high.links), ["peer dialed standby 1", "peer incoming connected 1"]);
  await closed(low, high);
});

Deno.test("a node whose hop id a directory tells is not dialed while it has dialed us", async () => {
  const stage = new Stage();
  const [low, high] = [stage.node("a", 7n), stage.node("b", 8n)];
  low.links.want([{ ...b, hop: "8" }]);
  await tick(5);
  high.links.want([{ ...a, hop: "7" }]);
  await tick(5);
  assert.deepEqual(stage.dialed, ["a>b"]);
  assert.deepEqual(shown(high.links), ["peer dialed standby 1", "peer incoming connected 1"]);
  await closed(low, high);
});

Deno.test("peers that dialed another thread count too, until that thread is gone", async () => {
  const stage = new Stage();
  const [low, high] = [stage.node("a", 7n), stage.node("b", 8n)];
  high.links.want([a]);
  await tick(5);
  const peer = { session: 4, hop: 7n, remote: "192.0.2.1:5", version: "moq-lite-06", sinceMs: 0 };
  high.links.incoming(1, [peer]);
  assert.deepEqual(shown(high.links), ["peer dialed standby 1", "peer incoming connected 1"]);
  await stage.after(1000);
  assert.equal(low.relay.relay.sessionCount, 0);
  high.links.incoming(1, []);
  await tick(5);
  assert.deepEqual(shown(high.links), ["peer dialed connected 1"]);
  // One that no directory knows is shown by its address.
  high.links.incoming(1, [{ ...peer, hop: 9n }]);
  assert.deepEqual(high.links.views.map(({ url, hop }) => [url, hop]), [
    [a.url, "7"],
    ["192.0.2.1:5", "9"],
  ]);
  await closed(low, high);
});

Deno.test("a node that is in its own list, or twice under two URLs, gets one link at most", async () => {
  const stage = new Stage();
  const [x, one] = [stage.node("x", 1n), stage.node("a", 2n)];
  stage.relays.set("b", one.relay); // the same relay
  x.links.want([{ url: "https://x.example/", ...NODE }, a, b]);
  await stage.after(1000);
  await stage.after(1000);
  assert.deepEqual(shown(x.links), [
    "peer dialed standby 1",
    "peer dialed connected 1",
    "peer dialed standby 1",
  ]);
  assert.deepEqual(x.links.views.map(({ hop }) => hop), ["1", "2", "2"]);
  assert.deepEqual([x.relay.relay.sessionCount, one.relay.relay.sessionCount], [1, 1]);
  stage.ends[1]!.drop(); // the other URL takes over
  await tick(5);
  assert.ok(shown(x.links).includes("peer dialed connected 1"));
  await stage.after(2000);
  assert.equal(one.relay.relay.sessionCount, 1);
  await closed(x, one);
});

Deno.test("a link to a parent stays whoever has dialed", async () => {
  const stage = new Stage();
  const [low, high] = [stage.node("a", 7n), stage.node("b", 8n)];
  low.links.want([b]);
  high.links.wantParents([{ ...a, role: "parent" }]);
  await stage.after(2000);
  assert.deepEqual(shown(high.links), ["parent dialed connected 1", "peer incoming connected 1"]);
  await closed(low, high);
});
