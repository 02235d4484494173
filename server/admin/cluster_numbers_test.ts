import assert from "node:assert/strict";
import type { LinkView } from "../cluster/cluster_view.ts";
import { clusterNumbers } from "./cluster_numbers.ts";

const link = (url: string, more: Partial<LinkView> = {}): LinkView => ({
  url,
  role: "peer",
  dialed: true,
  state: "connected",
  cost: 1,
  attempts: 2,
  links: 1,
  sinceMs: 0,
  ...more,
});

const numbers = (...links: LinkView[]) =>
  clusterNumbers({ self: undefined, nodes: [], links, directories: [] }, [
    { session: 7, announcements: 3, served: 4, upstream: 5 },
  ]).links;

Deno.test("a node that dialed us while our own link stands by is one link, and connected", () => {
  assert.deepEqual(
    numbers(
      link("https://b.example/", { state: "standby" }),
      link("https://b.example/", { dialed: false, attempts: 0, links: 0, session: 7 }),
    ),
    [{
      link: "https://b.example/",
      role: "peer",
      connected: 1,
      attempts: 2,
      connects: 1,
      cost: 1,
      ...{ announcements: 3, served: 4, upstream: 5 },
    }],
  );
});

Deno.test("nodes that no directory knows are one link together, whatever their addresses", () => {
  const dialed = { dialed: false, attempts: 0, links: 0 };
  const found = numbers(
    link("192.0.2.7:5000", { ...dialed, state: "stopped", cost: 3 }),
    link("[2001:db8::1]:5000", { ...dialed, cost: 2 }),
  );
  assert.deepEqual(found.map(({ link, connected, cost }) => [link, connected, cost]), [[
    "other",
    1,
    2,
  ]]);
});

Deno.test("a parent and a peer of one URL stay two, and directories tell whether they are reached", () => {
  const roles = numbers(
    link("https://b/"),
    link("https://b/", { role: "parent", state: "waiting" }),
  );
  assert.deepEqual(roles.map(({ role, connected }) => [role, connected]), [["peer", 1], [
    "parent",
    0,
  ]]);
  const { nodes, directories } = clusterNumbers({
    self: undefined,
    nodes: [{ url: "https://b/" }],
    links: [],
    directories: [{ kind: "redis", reachable: false }, { kind: "dns", reachable: true }],
  }, []);
  assert.equal(nodes, 1);
  assert.deepEqual(directories.map(({ reachable }) => reachable), [0, 1]);
});
