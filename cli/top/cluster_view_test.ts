import assert from "node:assert/strict";
import type { ClusterJson, ClusterNodeJson, LinkJson } from "../../admin/shapes.ts";
import { columnsOf } from "../shell/columns.ts";
import { clusterScreenOf } from "./cluster_view.ts";

const WALL_MS = 1_700_000_000_000;

const node = (url: string, more: Partial<ClusterNodeJson> = {}): ClusterNodeJson => ({
  url,
  hop: null,
  region: null,
  version: null,
  load: null,
  capacity: {},
  draining: false,
  ...more,
});

const link = (url: string, more: Partial<LinkJson> = {}): LinkJson => ({
  url,
  role: "peer",
  dialed: true,
  state: "connected",
  cost: 1,
  hop: null,
  region: null,
  version: "moq-lite-06",
  session: 4,
  attempts: 1,
  links: 1,
  lastError: null,
  since: new Date(WALL_MS - 75_000).toISOString(),
  ...more,
});

const CLUSTER: ClusterJson = {
  self: node("https://a.example/", {
    region: "eu",
    load: { sessions: 12, mbps: 3.25, cpu: 0.5 },
    capacity: { sessions: 1000 },
  }),
  nodes: [
    node("https://d.example/", { region: "us" }),
    node("https://c.example/", { region: "us", hop: "9", draining: true }),
    node("https://b.example/", { region: "eu" }),
  ],
  links: [
    link("https://b.example/", { state: "waiting", version: null, lastError: "refused" }),
    link("https://c.example/", { state: "standby", hop: "9" }),
    link("192.0.2.7:5000", { dialed: false, hop: "9" }),
    link("https://up.example/", { role: "parent", cost: 4 }),
  ],
  directories: [
    { kind: "list", reachable: true, lastError: null },
    { kind: "redis", reachable: false, lastError: "no answer" },
  ],
};

const screen = (cluster: ClusterJson, columns = 200, rows = Infinity) =>
  clusterScreenOf(cluster, { title: "relay", columns, rows, wallMs: WALL_MS });

Deno.test("this node comes first, the others by region, each with the link that is in use", () => {
  const [head, , ...lines] = screen(CLUSTER);
  assert.equal(head, "relay  4 nodes  4 links, 2 connected  list ok  redis away: no answer");
  assert.match(lines[1]!, /^https:\/\/a\.example\/ +eu +this node +12 of 1000 +3\.3 +50%/);
  assert.match(lines[2]!, /^https:\/\/b\.example\/ +eu +waiting +– +– +–/);
  // It has dialed us: that link is in use, and ours stands by.
  assert.match(lines[3]!, /^https:\/\/c\.example\/ +us +connected, draining .* 9$/);
  assert.match(lines[4]!, /^https:\/\/d\.example\/ +us +no link/);
});

Deno.test("a link tells its role, who dialed, how it stands and since when, and why it failed", () => {
  const lines = screen(CLUSTER).slice(8);
  assert.match(lines[0]!, /^LINK TO +ROLE +BY +STATE +FOR +COST +DIALED +VERSION +LAST ERROR$/);
  assert.match(
    lines[1]!,
    /^https:\/\/up\.example\/ +parent +us +connected +1m15s +4 +1 +moq-lite-06/,
  );
  assert.match(lines[2]!, /^192\.0\.2\.7:5000 +peer +them/);
  assert.match(lines[3]!, /^https:\/\/b\.example\/ .* waiting .* – +refused$/);
  assert.equal(lines.length, 5);
});

Deno.test("a cluster of any size fits every size of terminal, whatever its nodes are called", () => {
  const many = Array.from({ length: 40 }, (_, i) => `https://n${i}.example/${"x".repeat(100)}`);
  const cluster = {
    ...CLUSTER,
    nodes: [...many.map((url) => node(url)), node("https://\x1b[2J\u202e.example/")],
    links: many.map((url) => link(url, { lastError: "\x1b[2J" })),
  };
  for (const columns of [20, 60, 80, 200]) {
    for (const rows of [8, 24, 50]) {
      const lines = screen(cluster, columns, rows);
      assert.ok(lines.length <= rows, `${lines.length} lines in ${rows}`);
      for (const line of lines) assert.ok(columnsOf(line) <= columns, line);
      for (const sign of ["\x1b", "\u202e"]) assert.ok(!lines.join("").includes(sign));
    }
  }
});

Deno.test("a relay without a cluster says so", () => {
  const lines = screen({ nodes: [], links: [], directories: [] }, 60);
  assert.deepEqual(lines.slice(0, 2), ["relay  0 nodes  0 links, 0 connected", ""]);
  assert.match(lines[2]!, /^This relay has no cluster/);
  assert.equal(lines.length, 3);
});
