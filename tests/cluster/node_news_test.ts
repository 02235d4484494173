/**
 * What nodes tell each other over their links, where the directory knows nothing of them: lists and DNS. Over real QUIC.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import type { NodeInfo } from "../../server/cluster/node_info.ts";
import { freePort, inDirectory } from "../support/borrowed.ts";
import { startDnsServer } from "../support/directories/dns_server.ts";
import { launch, type Launched, testCertificate, until } from "../support/server.ts";

const nodesOf = ({ server }: Launched): readonly NodeInfo[] => server.view.cluster.nodes;

async function hears(at: Launched, of: (nodes: readonly NodeInfo[]) => boolean, what: string) {
  await until(() => of(nodesOf(at)), what, 15_000).catch((error: Error) =>
    assert.fail(
      `${error.message}; has ${JSON.stringify(nodesOf(at))}, ${
        JSON.stringify(at.server.view.cluster.links)
      }`,
    )
  );
}

/** Three nodes at addresses of their own and one port. */
async function three(
  dir: string,
  regions: readonly string[],
  more: (hostnames: readonly string[], port: number) => Record<string, string>,
): Promise<readonly [Launched, Launched, Launched]> {
  const certificate = await testCertificate([
    "relays.internal",
    "127.0.0.1",
    "127.0.0.2",
    "127.0.0.3",
  ]);
  await Deno.writeTextFile(`${dir}/ca.crt`, certificate.cert);
  await Deno.writeTextFile(`${dir}/secret`, "a secret of all the nodes");
  const port = freePort();
  const hostnames = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
  const start = (hostname: string, region: string) =>
    launch({
      certificate,
      flags: {
        "server.address": `${hostname}:${port}`,
        "server.capacity_sessions": "8",
        "server.drain_timeout": "1s",
        "cluster.region": region,
        "cluster.ca_file": `${dir}/ca.crt`,
        "cluster.secret_file": `${dir}/secret`,
        "auth.anonymous": "true",
        "cluster.url": `https://${hostname}:${port}/`,
        ...more(hostnames, port),
      },
    });
  return [
    await start(hostnames[0]!, regions[0]!),
    await start(hostnames[1]!, regions[1]!),
    await start(hostnames[2]!, regions[2]!),
  ];
}

/** Which nodes GET /route names, by the last digit of their addresses. */
async function routed(hostname: string, port: number, path: string): Promise<string> {
  const answer = await fetch(`http://${hostname}:${port}/route?path=${path}`);
  const { nodes } = await answer.json() as { nodes: { url: string }[] };
  return nodes.map(({ url }) => new URL(url).hostname.at(-1)).join("");
}

const client = ({ port, certificate }: Launched, hostname: string) =>
  connect(`moqt://${hostname}:${port}/`, { hash: certificate.sha256 });

Deno.test("with a list, /route prefers the idle node and leaves out one that drains; viewers see nothing of what nodes tell", async () => {
  await inDirectory(async (dir) => {
    const [a, b, c] = await three(dir, ["eu", "eu", "eu"], (hosts, port) => ({
      "cluster.nodes": hosts.map((host) => `https://${host}:${port}/`).join(","),
    }));
    await using _ = a, __ = b, ___ = c;
    for (const at of [a, b, c]) {
      await hears(at, (all) => all.length === 2 && all.every((node) => node.load), "their load");
      assert.ok(
        nodesOf(at).every(({ region, version, capacity }) =>
          region === "eu" && version !== undefined && capacity?.sessions === 8
        ),
      );
    }
    let path = "";
    for (let i = 0; !/2.*3/.test(await routed("127.0.0.1", a.port, path)); i++) path = `room${i}`;
    const viewers = await Promise.all(Array.from({ length: 6 }, () => client(b, "127.0.0.2")));
    await until(async () => /3.*2/.test(await routed("127.0.0.1", a.port, path)), "the idle node");
    const { origin } = a.server.relay; // all that viewers, HTTP and the admin API can see
    assert.equal(origin.find(`.cluster/node/${b.server.relay.hop}`), undefined);
    assert.equal(origin.size, 0);
    await Promise.all(viewers.map((one) => one[Symbol.asyncDispose]()));
    b.server.relay.draining = true;
    await until(async () => !(await routed("127.0.0.1", a.port, path)).includes("2"), "the drain");
    await c.server.close();
    await hears(
      a,
      (all) => all.find(({ url }) => url.includes("127.0.0.3"))?.load === undefined,
      "c gone",
    );
  });
});

Deno.test("by DNS nodes have regions of their own configuration: a region has a shield, and /route names them", async () => {
  await inDirectory(async (dir) => {
    await using dns = startDnsServer();
    const [a, b, c] = await three(dir, ["eu", "eu", "us"], (hosts) => {
      dns.records.set("relays.internal A", [...hosts]);
      return {
        "cluster.dns": "relays.internal",
        "cluster.dns_server": `127.0.0.1:${dns.port}`,
        "cluster.refresh": "100ms",
      };
    });
    await using _ = a, __ = b, ___ = c;
    const regions = (all: readonly NodeInfo[]) => all.map(({ region }) => region).toSorted().join();
    await hears(a, (all) => regions(all) === "eu,us", "the regions of b and c");
    await hears(b, (all) => regions(all) === "eu,us", "the regions of a and c");
    await hears(c, (all) => regions(all) === "eu,eu", "the regions of a and b");
    await until(async () => (await routed("127.0.0.1", a.port, "x")).length === 3, "all in /route");
    assert.equal((await routed("127.0.0.1", a.port, "x")).at(-1), "3");

    await using publisher = await client(c, "127.0.0.3");
    const paths = Array.from({ length: 12 }, (_, i) => `room/${i}`);
    for (const path of paths) publisher.publish(path);
    const hops = (at: Launched, path: string) =>
      at.server.relay.origin.find(path)?.best()?.hops.length;
    const shields = () => paths.map((path) => [hops(a, path), hops(b, path)].join());
    await until(
      () => shields().every((lengths) => lengths === "2,3" || lengths === "3,2"),
      "one shield for each broadcast",
      15_000,
    ).catch((error: Error) => assert.fail(`${error.message}; ${shields().join(" ")}`));
  });
});
