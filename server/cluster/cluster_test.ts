import assert from "node:assert/strict";
import { parseConfig } from "../../config/load.ts";
import { silent } from "../../base/logger.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { Cluster } from "./cluster.ts";
import type { LinkView } from "./cluster_view.ts";
import type { Directory, DirectoryState } from "./directory.ts";
import { ListDirectory } from "./directories/list.ts";
import type { NodeInfo } from "./node_info.ts";
import type { WantedLink } from "./links/wanted_link.ts";

/** A directory that a test writes. */
class Written implements Directory {
  readonly state: DirectoryState;
  announced = 0;
  closed = false;
  self: () => NodeInfo | undefined = () => undefined;
  tell: (nodes: readonly NodeInfo[]) => void = () => {};

  constructor(kind: DirectoryState["kind"]) {
    this.state = { kind, reachable: true };
  }
  start(self: () => NodeInfo | undefined, onNodes: (nodes: readonly NodeInfo[]) => void): void {
    this.self = self;
    this.tell = onNodes;
  }
  announce(): void {
    this.announced++;
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

const HOP = 77n;
const node = (name: string, more: Partial<NodeInfo> = {}): NodeInfo => ({
  url: `https://${name}.example/`,
  ...more,
});
const connected = (name: string, more: Partial<LinkView> = {}): LinkView => ({
  ...{ url: `https://${name}.example/`, role: "peer", dialed: true, state: "connected", cost: 1 },
  ...{ attempts: 1, links: 1, sinceMs: 0 },
  ...more,
});

function clusterWith(directories: readonly Directory[], yaml = "") {
  const clock = new ManualClock();
  const { config } = parseConfig(yaml);
  const links = { wanted: [] as readonly WantedLink[], views: [] as LinkView[], sets: 0 };
  const load = { sessions: 0, mbps: 0, cpu: 0 };
  let draining = false;
  const cluster = new Cluster({
    config,
    hop: HOP,
    directories,
    links: {
      want(wanted) {
        links.wanted = wanted;
        links.sets++;
      },
      get views() {
        return links.views;
      },
    },
    load: () => ({ ...load }),
    draining: () => draining,
    isOwn: (url) => url.startsWith("https://10.0.0.1:"),
    clock,
  });
  cluster.start();
  return {
    ...{ cluster, clock, config, links, load },
    drain: () => {
      draining = true;
      cluster.announce();
    },
    names: () => cluster.nodes.map(({ url }) => new URL(url).hostname.split(".")[0]).join(" "),
    wanted: () => links.wanted.map(({ url }) => new URL(url).hostname.split(".")[0]).join(" "),
  };
}

Deno.test("a cluster without a directory has no nodes, and tells no self without a URL", async () => {
  const { cluster, links } = clusterWith([new ListDirectory([], silent)]);
  assert.deepEqual([cluster.self, cluster.nodes, cluster.directories], [undefined, [], []]);
  assert.equal(links.sets, 0);
  await cluster.close();
});

Deno.test("several directories are joined: who is believed first says what a node is, others add to it", async () => {
  const [list, redis] = [new Written("list"), new Written("redis")];
  const { cluster, names } = clusterWith([list, redis]);
  redis.tell([node("a", { region: "eu", hop: "5", cost: 9 }), node("b")]);
  list.tell([node("a", { region: "us" }), node("c")]);
  assert.equal(names(), "a c b");
  assert.deepEqual(cluster.nodes[0], node("a", { region: "us", hop: "5", cost: 9 }));
  redis.tell([]);
  assert.equal(names(), "a c");
  await cluster.close();
  assert.ok(list.closed && redis.closed);
});

Deno.test("this node is left out: by its URL however it is written, its hop id, an address of the machine", async () => {
  const redis = new Written("redis");
  const { cluster, names, links, wanted } = clusterWith(
    [redis],
    "cluster: { url: 'https://Self.example:443' }",
  );
  redis.tell([
    node("self"),
    node("alias", { hop: String(HOP) }),
    { url: "https://10.0.0.1:4433/" },
    node("a"),
  ]);
  assert.deepEqual([names(), wanted()], ["a", "a"]);
  // A node of a list turns out to be this one when its link has told its hop id.
  redis.tell([node("a"), node("other")]);
  links.views = [connected("other", { hop: String(HOP), state: "standby" })];
  redis.tell([node("a"), node("other"), node("b")]);
  assert.equal(names(), "a b");
  await cluster.close();
});

Deno.test("links cost what their URL says, else what a link within the region or to another costs", async () => {
  const list = new Written("list");
  const { cluster, links } = clusterWith(
    [list],
    "cluster: { region: eu, cost: 2, region_cost: 20 }",
  );
  list.tell([
    node("unknown"),
    node("near", { region: "eu" }),
    node("far", { region: "us", hop: "5" }),
    node("named", { region: "us", cost: 3 }),
    node("by-address", { serverName: "relay.example" }),
  ]);
  assert.deepEqual(links.wanted, [
    { url: "https://unknown.example/", role: "peer", cost: 2 },
    { url: "https://near.example/", role: "peer", cost: 2, region: "eu" },
    { url: "https://far.example/", role: "peer", cost: 20, hop: "5", region: "us" },
    { url: "https://named.example/", role: "peer", cost: 3, region: "us" },
    { url: "https://by-address.example/", role: "peer", cost: 2, serverName: "relay.example" },
  ]);
  await cluster.close();
});

Deno.test("a node whose lease has ended stays as long as its link is alive, from either side", async () => {
  for (const dialed of [true, false]) {
    const redis = new Written("redis");
    const { cluster, clock, links, names, wanted } = clusterWith([redis]);
    redis.tell([node("a", { hop: "5", load: { sessions: 1, mbps: 1, cpu: 0 } }), node("b")]);
    links.views = [connected(dialed ? "a" : "address", { hop: "5", dialed })];
    redis.tell([]);
    assert.deepEqual([names(), wanted()], ["a", "a"]);
    assert.equal(cluster.nodes[0]!.load, undefined, "what it does is not known any more");
    clock.advance(5000);
    assert.equal(names(), "a");
    links.views = [];
    clock.advance(1000);
    assert.deepEqual([names(), wanted()], ["", ""]);
    redis.tell([node("a")]);
    assert.equal(names(), "a");
    await cluster.close();
  }
});

Deno.test("a node that is taken out of a list is out, although its link is alive", async () => {
  for (const kind of ["list", "file", "url"] as const) {
    const [list, redis] = [new Written(kind), new Written("redis")];
    const { cluster, links, names, wanted } = clusterWith([list, redis]);
    list.tell([node("a"), node("b")]);
    redis.tell([node("b")]);
    links.views = [connected("a"), connected("b")];
    list.tell([]);
    assert.deepEqual([names(), wanted()], ["b", "b"]);
    await cluster.close();
  }
});

Deno.test("a node that two directories have under two URLs is one node once its links tell its hop id", async () => {
  const [list, redis] = [new Written("list"), new Written("redis")];
  const { cluster, clock, links, names, wanted } = clusterWith([list, redis]);
  list.tell([node("name")]);
  redis.tell([node("address", { hop: "5", region: "eu" })]);
  assert.equal(names(), "name address");
  links.views = [connected("name", { hop: "5" })];
  clock.advance(1000);
  assert.deepEqual(cluster.nodes, [node("name", { hop: "5", region: "eu" })]);
  assert.equal(wanted(), "name address", "which link is used is for the links to decide");
  await cluster.close();
});

Deno.test("whoever listens is told of changes, and only of changes; links are told only what differs", async () => {
  const redis = new Written("redis");
  const { cluster, clock, links } = clusterWith([redis]);
  let changes = 0;
  const end = cluster.onChange(() => changes++);
  const load = (sessions: number) => ({ load: { sessions, mbps: 0, cpu: 0 } });
  redis.tell([node("a", load(1))]);
  redis.tell([node("a", load(1))]);
  clock.advance(3000);
  assert.deepEqual([changes, links.sets], [1, 1]);
  redis.tell([node("a", load(2))]);
  assert.deepEqual([changes, links.sets], [2, 1], "its load concerns no link");
  end();
  redis.tell([]);
  assert.deepEqual([changes, links.sets], [2, 2]);
  await cluster.close();
  redis.tell([node("late")]);
  assert.equal(links.sets, 2, "a closed cluster hears nothing");
});

Deno.test("what a node tells of itself: load over some seconds, capacity, version, and that it drains", async () => {
  const redis = new Written("redis");
  const { clock, cluster, drain, load } = clusterWith(
    [redis],
    "server: { capacity_sessions: 100, capacity_cpu: 80 }\ncluster: { url: 'https://a.example', region: eu }",
  );
  const { version, ...self } = redis.self()!;
  assert.match(version!, /^\d+\.\d+\.\d+/);
  assert.deepEqual(self, {
    url: "https://a.example/",
    hop: "77",
    region: "eu",
    load: { sessions: 0, mbps: 0, cpu: 0 },
    capacity: { sessions: 100, cpu: 0.8 },
  });
  Object.assign(load, { sessions: 10, mbps: 100, cpu: 1 });
  clock.advance(1000);
  assert.deepEqual(redis.self()!.load, { sessions: 10, mbps: 30, cpu: 0.3 });
  clock.advance(20_000);
  assert.ok(redis.self()!.load!.mbps > 99);
  drain();
  assert.deepEqual([redis.self()!.draining, redis.announced], [true, 1]);
  await cluster.close();
});

Deno.test("a reload takes another list and other prices", async () => {
  const list = new ListDirectory(["https://a.example/"], silent);
  const { cluster, config, links } = clusterWith([list]);
  assert.deepEqual(links.wanted, [{ url: "https://a.example/", role: "peer", cost: 1 }]);
  const nodes = ["https://a.example", "https://b.example/?cost=7", "https://bad.example/?jwt=x"];
  cluster.apply({ ...config.cluster, cost: 4, nodes });
  assert.deepEqual(links.wanted.map(({ url, cost }) => [url, cost]), [
    ["https://a.example/", 4],
    ["https://b.example/", 7],
  ]);
  assert.match(cluster.directories[0]!.lastError!, /bad\.example.*token_file/);
  await cluster.close();
});

Deno.test("a directory that names more nodes than a cluster may have is cut, not believed", async () => {
  const redis = new Written("redis");
  const { cluster } = clusterWith([redis]);
  redis.tell(Array.from({ length: 10_001 }, (_, i) => node(`n${i}`)));
  assert.equal(cluster.nodes.length, 10_000);
  await cluster.close();
});
