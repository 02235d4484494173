import assert from "node:assert/strict";
import type {
  BroadcastJson,
  ClusterNodeJson,
  LinkJson,
  SessionDetailJson,
  SessionJson,
  TrackJson,
} from "../../../admin/shapes.ts";
import type { Answers } from "../dashboard_data.ts";
import { treeOf } from "./broadcast_tree.ts";

type RouteJson = BroadcastJson["publishers"][number]["routes"][number];

const node = (url: string, hop: string, region = "eu"): ClusterNodeJson => ({
  url,
  hop,
  region,
  version: null,
  load: null,
  capacity: {},
  draining: false,
});

const link = (url: string, session: number, hop: string | null = null) =>
  ({ url, session, hop, region: "eu", role: "peer", state: "connected" }) as LinkJson;

const session = (id: number, remote: string) => ({ id, remote }) as SessionJson;

const reading = (id: number, ...broadcasts: string[]) =>
  ({
    id,
    remote: `192.0.2.${id}:5000`,
    subscriptions: broadcasts.map((broadcast) => ({ broadcast })),
  }) as unknown as SessionDetailJson;

const track = (broadcast: string, subscribers: number, route: string | null) =>
  ({ broadcast, track: "video", subscribers, route }) as TrackJson;

const route = (source: string, hops: string[], warm: number | null = 1): RouteJson => ({
  source,
  hops,
  warm,
  cold: warm,
  offered: 0,
  onlyOffered: false,
});

const demo = (...routes: RouteJson[]): BroadcastJson => ({
  path: "demo",
  publishers: [{ hop: "77", lingering: false, routes, tracks: 1 }],
});

/** Three nodes; `demo` was published at the second one. */
const answers = (more: Partial<Answers> = {}): Answers => ({
  atMs: 0,
  sessions: [session(4, "192.0.2.4:5000"), session(5, "192.0.2.5:5000")],
  broadcasts: [demo(
    route("192.0.2.4:5000", ["77", "2"]),
    route("192.0.2.5:5000", ["77", "2", "3"], 2),
  )],
  tracks: [track("demo", 3, "192.0.2.4:5000"), track("other", 9, "192.0.2.5:5000")],
  plugins: [],
  cluster: {
    self: node("https://a.example/", "1"),
    nodes: [node("https://b.example/", "2"), node("https://c.example:4433/", "3", "us")],
    links: [link("https://b.example/", 4, "2"), link("https://c.example:4433/", 5, "3")],
    directories: [],
  },
  linked: [reading(4, "other"), reading(5, "demo", "demo")],
  metrics: "",
  ...more,
});

Deno.test("a tree goes from the publisher through the relays to this node, and on to who reads from it", () => {
  const { boxes, lines, routes } = treeOf("demo", answers())!;
  const named = new Map(boxes.map(({ id, label }) => [id, label]));
  assert.deepEqual(
    boxes.toSorted((a, b) => a.row - b.row).map(({ label, kind, row }) => [row, kind, label]),
    [
      [-3, "publisher", "hop 77"],
      [-2, "node", "b.example"],
      [-1, "node", "c.example:4433"],
      [0, "self", "a.example"],
      [1, "puller", "c.example:4433"],
      [1, "viewers", "1 subscription"],
    ],
  );
  const told = lines.map(({ from, to, used }) => `${named.get(from)} ${named.get(to)} ${used}`);
  assert.deepEqual(told, [
    "hop 77 b.example true",
    "b.example a.example true",
    "b.example c.example:4433 false",
    "c.example:4433 a.example false",
    "a.example c.example:4433 true",
    "a.example 1 subscription true",
  ]);
  assert.deepEqual(routes.map(({ from, through, cost, used }) => [from, through, cost, used]), [
    ["b.example", ["hop 77", "b.example"], 1, true],
    ["c.example:4433", ["hop 77", "b.example", "c.example:4433"], 2, false],
  ]);
});

Deno.test("a publisher at this node stands by its address, and no relay between", () => {
  const { boxes, routes } = treeOf(
    "demo",
    answers({ broadcasts: [demo(route("203.0.113.7:999", ["77"]))], tracks: [], linked: [] }),
  )!;
  assert.deepEqual(boxes.map(({ kind, label }) => [kind, label]), [
    ["self", "a.example"],
    ["publisher", "203.0.113.7:999"],
  ]);
  assert.deepEqual(routes.map(({ used }) => used), [false]);
});

Deno.test("peers that tell no hop id stay apart, and so do those that tell no hops at all", () => {
  const { boxes, routes } = treeOf(
    "demo",
    answers({
      broadcasts: [demo(
        route("203.0.113.7:1", ["0"]),
        route("203.0.113.7:2", ["0", "0"]),
        route("203.0.113.7:3", []),
      )],
    }),
  )!;
  const ids = boxes.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(routes.map(({ through }) => through), [
    ["203.0.113.7:1"],
    ["not told", "203.0.113.7:2"],
    ["203.0.113.7:3"],
  ]);
});

Deno.test("a broadcast that is gone has no tree, and one that is waited for has this node alone", () => {
  assert.equal(treeOf("gone", answers()), undefined);
  const waiting = treeOf("demo", answers({ broadcasts: [demo()], tracks: [], linked: [] }))!;
  assert.deepEqual([waiting.boxes.length, waiting.lines.length, waiting.routes.length], [1, 0, 0]);
});
