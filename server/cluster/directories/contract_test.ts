/** What every directory keeps to: the same tests for each of them, against what they really read. */
import assert from "node:assert/strict";
import { silent } from "../../../base/logger.ts";
import { parseRedisPlace } from "../../../storage/redis_place.ts";
import { startDnsServer } from "../../../tests/support/directories/dns_server.ts";
import { LEASE } from "../../../tests/support/directories/redis_nodes.ts";
import { redisServer, startRedis } from "../../../tests/support/peers/redis.ts";
import { until } from "../../../tests/support/server.ts";
import type { Directory } from "../directory.ts";
import type { NodeInfo } from "../node_info.ts";
import { DnsDirectory } from "./dns.ts";
import { FileDirectory } from "./file.ts";
import { ListDirectory } from "./list.ts";
import { RedisDirectory } from "./redis.ts";
import { UrlDirectory } from "./url.ts";

interface Bench extends AsyncDisposable {
  /** A directory under test. It has a self that the others may see. */
  open(): Directory;
  /** Names these nodes and no others. */
  name(hosts: readonly string[]): void | Promise<void>;
  /** Takes away what the directory reads. Absent where nothing can be taken away. */
  readonly fail?: () => void | Promise<void>;
  readonly heal?: () => void | Promise<void>;
}

const urlOf = (host: string) => `https://${host}:4433/`;

function listBench(): Bench {
  let hosts: readonly string[] = [];
  const opened: ListDirectory[] = [];
  return {
    open() {
      const list = new ListDirectory(hosts.map(urlOf), silent);
      opened.push(list);
      return list;
    },
    name(now) {
      hosts = now;
      for (const list of opened) list.replace(hosts.map(urlOf));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function fileBench(): Promise<Bench> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/nodes`;
  const name = (hosts: readonly string[]) =>
    Deno.writeTextFile(path, JSON.stringify(hosts.map(urlOf)));
  return {
    open: () => new FileDirectory({ path, log: silent, intervalMs: 20 }),
    name,
    fail: () => Deno.rename(path, `${path}.away`),
    heal: () => Deno.rename(`${path}.away`, path),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

function urlBench(): Bench {
  let text = "[]";
  let status = 200;
  const answer = () => new Response(status === 200 ? text : "no", { status });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  return {
    open: () =>
      new UrlDirectory({
        url: `http://127.0.0.1:${server.addr.port}/nodes?token=hidden`,
        refreshMs: 20,
        log: silent,
      }),
    name: (hosts) => void (text = JSON.stringify(hosts.map(urlOf))),
    fail: () => void (status = 503),
    heal: () => void (status = 200),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function redisBench(): Promise<Bench> {
  const redis = await startRedis({ password: "hidden" });
  const others = new Map<string, RedisDirectory>();
  const make = () =>
    new RedisDirectory({
      place: parseRedisPlace(redis.url)!,
      prefix: "test:",
      log: silent,
      ...LEASE,
    });
  let hop = 100;
  return {
    open: make,
    async name(hosts) {
      for (const [host, other] of others) {
        if (hosts.includes(host)) continue;
        others.delete(host);
        await other.close();
      }
      for (const host of hosts) {
        if (others.has(host)) continue;
        const other = make();
        const self = { url: urlOf(host), hop: String(++hop) };
        other.start(() => self, () => {});
        others.set(host, other);
        await until(() => other.state.reachable, "a node to be in Redis");
      }
    },
    fail: () => redis.kill(),
    heal: () => redis.start(),
    async [Symbol.asyncDispose]() {
      for (const other of others.values()) await other.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

function dnsBench(): Bench {
  const server = startDnsServer();
  return {
    open: () =>
      new DnsDirectory({
        name: "_moq._udp.relay.example",
        pattern: { scheme: "https", port: 1, path: "/" },
        server: { hostname: "127.0.0.1", port: server.port },
        refreshMs: 20,
        log: silent,
      }),
    name: (hosts) => {
      const records = hosts.map((target) => ({ target, port: 4433 }));
      const none = [{ target: ".", port: 0 }];
      server.records.set("_moq._udp.relay.example SRV", hosts.length === 0 ? none : records);
    },
    fail: () => void (server.fails = "servfail"),
    heal: () => void (server.fails = undefined),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const DIRECTORIES: readonly {
  readonly kind: string;
  readonly bench: () => Bench | Promise<Bench>;
  readonly ignore?: boolean;
}[] = [
  { kind: "list", bench: listBench },
  { kind: "file", bench: fileBench },
  { kind: "url", bench: urlBench },
  { kind: "redis", bench: redisBench, ignore: !redisServer.ok },
  { kind: "dns", bench: dnsBench },
];

/** A started directory, and what it has told. It has no self: it reads only. */
function heard(directory: Directory) {
  const told: string[] = [];
  directory.start(() => undefined, (nodes: readonly NodeInfo[]) => {
    told.push(nodes.map(({ url }) => new URL(url).hostname).join(" "));
  });
  return {
    directory,
    told,
    now: (hosts: string) => until(() => told.at(-1) === hosts, `"${hosts}", have "${told.at(-1)}"`),
  };
}

for (const { kind, bench, ignore = false } of DIRECTORIES) {
  const test = (claim: string, fn: (place: Bench) => Promise<void>) =>
    Deno.test({
      name: `${kind}: ${claim}`,
      ignore,
      async fn() {
        await using place = await bench();
        await fn(place);
      },
    });

  test("names all nodes there are, sorted, and those that join and leave", async (place) => {
    await place.name(["b.example", "a.example"]);
    const { directory, now, told } = heard(place.open());
    await now("a.example b.example");
    assert.deepEqual(directory.state, { kind, reachable: true });
    for (const hosts of [["a.example", "b.example", "c.example"], ["c.example"], []]) {
      await place.name(hosts);
      await now(hosts.join(" "));
    }
    await place.name(["d.example"]);
    await now("d.example");
    await directory.close();
    assert.equal(new Set(told).size, told.length, "nothing is told twice");
  });

  test("tells nothing any more after it was closed, and closes twice", async (place) => {
    await place.name(["a.example"]);
    const { directory, now, told } = heard(place.open());
    await now("a.example");
    await directory.close();
    const before = told.length;
    await place.name(["b.example"]);
    // Another one has seen the change by now.
    const other = heard(place.open());
    await other.now("b.example");
    assert.equal(told.length, before);
    await directory.close();
    await other.directory.close();
  });

  test("is closed at once before it was started", async (place) => {
    await place.open().close();
  });

  if (kind === "list") continue;

  test("keeps what it knows while it cannot be read, and says why without secrets", async (place) => {
    await place.name(["a.example", "b.example"]);
    const { directory, now, told } = heard(place.open());
    await now("a.example b.example");
    await place.fail!();
    await until(() => !directory.state.reachable, "the failure");
    assert.ok(directory.state.lastError);
    assert.ok(!directory.state.lastError.includes("hidden"), directory.state.lastError);
    assert.equal(told.length, 1 + told.indexOf("a.example b.example"));
    await place.heal!();
    await until(() => directory.state.reachable, "the return");
    assert.equal(told.at(-1), "a.example b.example");
    await place.name(["a.example", "b.example", "c.example"]);
    await now("a.example b.example c.example");
    assert.equal(directory.state.lastError, undefined);
    await directory.close();
  });

  test("begins without what it reads, and names the nodes once that is there", async (place) => {
    await place.name(["a.example"]);
    await place.fail!();
    const { directory, now, told } = heard(place.open());
    await until(() => directory.state.lastError !== undefined, "the first failure");
    assert.deepEqual(told, []);
    await place.heal!();
    await now("a.example");
    await directory.close();
  });
}
