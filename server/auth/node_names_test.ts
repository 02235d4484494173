import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { parseConfig } from "../../config/load.ts";
import { selfSigned } from "../../config/tls/self_signed.ts";
import { dialedNode, NodeNames } from "./node_names.ts";

const hashOf = (pem: string) =>
  Uint8Array.fromHex(new X509Certificate(pem).fingerprint256.replaceAll(":", ""));

async function namesOf(flags: Record<string, string>, port: number, hosts: readonly string[]) {
  const { config } = parseConfig("", { flags });
  const { cert } = await selfSigned([...hosts]);
  const names = new NodeNames({ config, port, cert, addresses: () => ["10.0.0.5", "fd00::5"] });
  const takes = (
    url: string,
    more: Parameters<typeof dialedNode>[1] = {},
    remote = "192.0.2.1:5",
  ) => names.isDialed(dialedNode(new URL(url), more), remote);
  return { names, cert, takes };
}

Deno.test("a node is who was dialed by its URL, its certificate's names or its addresses, at its port", async () => {
  const flags = {
    "server.address": ":4433",
    "cluster.url": "https://relay.example/",
  };
  const { takes } = await namesOf(flags, 4433, ["*.site.example", "192.0.2.9", "localhost"]);
  const own = [
    "https://relay.example/", // by a balancer, or a port that is mapped
    "https://RELAY.example.:4433/x",
    "https://a.site.example:4433/",
    "moqt://192.0.2.9:4433/",
    "https://10.0.0.5:4433/",
    "https://[fd00::5]:4433/",
    `https://${Deno.hostname()}:4433/`,
  ];
  for (const url of own) assert.equal(takes(url), true, url);
  // DNS has named the address; the certificate has to have the name.
  assert.equal(takes("https://10.9.9.9:4433/", { serverName: "relay.example" }), true);
  const foreign = [
    "https://evil.example/",
    "https://evil.example:4433/",
    "https://a.b.site.example:4433/",
    "https://relay.example:4434/", // another process on one machine
    "https://10.0.0.6:4433/",
    "https://127.0.0.1:4433/", // it is said from afar
    "https://localhost:4433/",
  ];
  for (const url of foreign) assert.equal(takes(url), false, url);
  assert.equal(takes("https://10.0.0.5:4433/", { serverName: "evil.example" }), false);
});

Deno.test("nodes on one machine differ by their ports, and are called so on that machine alone", async () => {
  const { takes } = await namesOf({ "server.address": "127.0.0.1:0" }, 4434, ["127.0.0.1"]);
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
    for (const remote of ["127.0.0.1:9", "[::1]:9"]) {
      assert.equal(takes(`https://${host}:4434/`, {}, remote), true);
      assert.equal(takes(`https://${host}:4433/`, {}, remote), false);
    }
    assert.equal(takes(`https://${host}:4434/`, {}, "192.0.2.1:9"), false);
  }
});

Deno.test("where the certificate is known, it alone decides, and the one before is known for a while", async () => {
  const { names, cert, takes } = await namesOf({}, 4433, ["relay.example"]);
  const other = await selfSigned(["relay.example"]);
  const hash = hashOf(cert);
  assert.equal(takes("https://unknown.example/", { hash }), true);
  assert.equal(takes("https://relay.example:4433/", { hash: hashOf(other.cert) }), false);
  names.replaceCertificate(other.cert);
  assert.equal(
    takes("https://x/", { hash }) && takes("https://x/", { hash: hashOf(other.cert) }),
    true,
  );
  assert.equal(names.isDialed({}, "192.0.2.1:5"), false);
});
