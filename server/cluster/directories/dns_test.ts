import assert from "node:assert/strict";
import { silent } from "../../../base/logger.ts";
import { type DnsServer, startDnsServer } from "../../../tests/support/directories/dns_server.ts";
import { until } from "../../../tests/support/server.ts";
import { DnsDirectory } from "./dns.ts";

const PATTERN = { scheme: "moqt", port: 4433, path: "/" };

async function resolving(
  name: string,
  test: (
    server: DnsServer,
    dns: DnsDirectory,
    sees: (urls: string) => Promise<void>,
  ) => Promise<void>,
  records: Readonly<Record<string, readonly string[]>> = {},
) {
  await using server = startDnsServer();
  for (const [key, values] of Object.entries(records)) server.records.set(key, values);
  const dns = new DnsDirectory({
    ...{ name, pattern: PATTERN, refreshMs: 20, log: silent, timeoutMs: 300 },
    server: { hostname: "127.0.0.1", port: server.port },
  });
  let told: string | undefined;
  dns.start(undefined, (nodes) => {
    assert.ok(
      nodes.every(({ serverName }) =>
        serverName === (name[0] === "_" ? undefined : "relay.example")
      ),
    );
    told = nodes.map(({ url }) => url).join(" ");
  });
  try {
    await test(server, dns, (urls) => until(() => told === urls, `"${urls}", have "${told}"`));
  } finally {
    await dns.close();
  }
}

const [A, AAAA] = ["relay.example A", "relay.example AAAA"];

Deno.test("addresses of a name are nodes with the port of this one, and show the name in their certificate", async () => {
  await resolving("relay.example.", async (server, dns, sees) => {
    await sees("moqt://10.0.0.1:4433/ moqt://10.0.0.2:4433/ moqt://[fd00::1]:4433/");
    server.records.set(A, ["10.0.0.2"]);
    server.records.set(AAAA, []);
    await sees("moqt://10.0.0.2:4433/");
    assert.deepEqual(dns.state, { kind: "dns", reachable: true });
  }, { [A]: ["10.0.0.1", "10.0.0.2"], [AAAA]: ["fd00::1"] });
});

Deno.test("SRV records have their own ports, and one with the target . says that there is no node", async () => {
  await resolving("_moq._udp.relay.example", async (server, _, sees) => {
    const name = "_moq._udp.relay.example SRV";
    server.records.set(name, [{ target: "b.example", port: 2 }, { target: "a.example", port: 1 }]);
    await sees("moqt://a.example:1/ moqt://b.example:2/");
    server.records.set(name, [{ target: ".", port: 0 }]);
    await sees("");
    server.records.set(name, [{ target: "a.example", port: 1 }]);
    await sees("moqt://a.example:1/");
  });
});

for (
  const [failure, fail] of Object.entries({
    "a name that does not exist any more": (server: DnsServer): void => server.records.clear(),
    "a name without addresses": (server: DnsServer): void => void server.records.set(A, []),
    SERVFAIL: (server: DnsServer): void => void (server.fails = "servfail"),
    REFUSED: (server: DnsServer): void => void (server.fails = "refused"),
    "no answer": (server: DnsServer): void => void (server.fails = "silent"),
  })
) {
  Deno.test(`${failure} keeps the nodes that are known, and is said`, async () => {
    await resolving("relay.example", async (server, dns, sees) => {
      await sees("moqt://10.0.0.1:4433/");
      fail(server);
      await until(() => !dns.state.reachable, "the failure");
      assert.match(dns.state.lastError!, /no records|timed out|aborted/);
      await sees("moqt://10.0.0.1:4433/");
      server.fails = undefined;
      server.records.set(A, ["10.0.0.2"]);
      await sees("moqt://10.0.0.2:4433/");
    }, { [A]: ["10.0.0.1"] });
  });
}

Deno.test("a name server that gives no answer for one type keeps the addresses of that type", async () => {
  await resolving("relay.example", async (server, dns, sees) => {
    await sees("moqt://10.0.0.1:4433/ moqt://[fd00::1]:4433/");
    server.silentFor = "AAAA";
    server.records.set(A, ["10.0.0.2"]);
    await sees("moqt://10.0.0.2:4433/ moqt://[fd00::1]:4433/");
    assert.equal(dns.state.reachable, true);
  }, { [A]: ["10.0.0.1"], [AAAA]: ["fd00::1"] });
});

Deno.test("more addresses than one packet holds are asked for over TCP", async () => {
  const many = Array.from({ length: 200 }, (_, i) => `10.0.${i >> 7}.${i & 127}`);
  await resolving("relay.example", async (server, _dns, sees) => {
    await sees(many.toSorted().map((address) => `moqt://${address}:4433/`).toSorted().join(" "));
    assert.ok(server.asked.some((question) => question.endsWith("over TCP")));
  }, { [A]: many });
});
