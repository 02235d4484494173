/**
 * Real nodes find each other by DNS and by a file, over real QUIC with certificates.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Source } from "./support/source.ts";
import { freePort, inDirectory } from "../support/borrowed.ts";
import { startDnsServer } from "../support/directories/dns_server.ts";
import { launch, type Launched, testCertificate, until } from "../support/server.ts";

/** Waits until these nodes are what a node knows of others, and it has a link to each. */
async function knows({ server }: Launched, urls: readonly string[]): Promise<void> {
  const { cluster } = server.view;
  const open = () =>
    new Set(cluster.links.filter(({ state }) => state === "connected").map(({ hop }) => hop)).size;
  await until(
    () =>
      JSON.stringify(cluster.nodes.map(({ url }) => url)) === JSON.stringify(urls) &&
      open() === urls.length,
    `${urls}`,
  ).catch((error: Error) =>
    assert.fail(
      `${error.message}; has ${JSON.stringify(cluster.nodes)}, ${JSON.stringify(cluster.links)}`,
    )
  );
}

Deno.test("nodes find each other by the addresses of a name, check its certificate, and leave themselves out", async () => {
  await inDirectory(async (dir) => {
    await using dns = startDnsServer();
    const certificate = await testCertificate(["relay.example"]);
    await Deno.writeTextFile(`${dir}/ca.crt`, certificate.cert);
    await Deno.writeTextFile(`${dir}/secret`, "a secret of all the nodes");
    const port = freePort();
    const start = (hostname: string, own = certificate) =>
      launch({
        certificate: own,
        flags: {
          "server.address": `${hostname}:${port}`,
          "cluster.url": "https://relay.example/", // where viewers reach the cluster
          "cluster.dns": "relays.internal",
          "cluster.dns_server": `127.0.0.1:${dns.port}`,
          "cluster.refresh": "100ms",
          "cluster.ca_file": `${dir}/ca.crt`,
          "cluster.secret_file": `${dir}/secret`,
          "auth.required": "true",
        },
      });
    dns.records.set("relays.internal A", ["127.0.0.1"]);
    await using a = await start("127.0.0.1");
    await until(() => a.server.view.cluster.directories[0]!.reachable, "an answer of DNS");
    await knows(a, []);
    dns.records.set("relays.internal A", ["127.0.0.1", "127.0.0.2"]);
    await using b = await start("127.0.0.2");
    await knows(a, [`https://127.0.0.2:${port}/`]);
    await knows(b, [`https://127.0.0.1:${port}/`]);

    // Whoever got hold of an address has not got the certificate of the name.
    dns.records.set("relays.internal A", ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
    await using stranger = await start("127.0.0.3", await testCertificate(["relay.example"]));
    const { cluster } = a.server.view;
    await until(
      () =>
        cluster.links.some(({ url, lastError }) =>
          url === `https://127.0.0.3:${port}/` && /certificate/i.test(lastError ?? "")
        ),
      "a refused certificate",
    );
    assert.ok(stranger.server.view.cluster.nodes.length > 0);
  });
});

Deno.test("nodes of a file are linked as it is written, and the mesh goes on when it is broken", async () => {
  await inDirectory(async (dir) => {
    const path = `${dir}/nodes`;
    await Deno.writeTextFile(path, "[]");
    const certificate = await testCertificate();
    const flags = { "cluster.nodes_file": path, "auth.anonymous": "true" };
    await using a = await launch({ certificate, flags });
    await using b = await launch({ certificate });
    const hash = certificate.sha256.toHex();
    await Deno.writeTextFile(path, `https://127.0.0.1:${b.port}/?cost=3&region=far&hash=${hash}\n`);
    await knows(a, [`https://127.0.0.1:${b.port}/?hash=${hash}`]);
    const { cluster } = a.server.view;
    assert.deepEqual(cluster.links.map(({ cost, region }) => [cost, region]), [[3, "far"]]);
    await Deno.writeTextFile(path, "https://");
    await until(() => cluster.directories[0]!.reachable === false, "the complaint");
    assert.equal(cluster.links[0]!.state, "connected");
    await using source = await Source.start(`http://127.0.0.1:${b.port}/`, { path: "live" });
    await until(() => a.server.relay.origin.find("live") !== undefined, "the broadcast");
    void source;
    await Deno.writeTextFile(path, "[]");
    await until(() => cluster.links.length === 0, "no link");
  });
});
