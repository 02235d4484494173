import assert from "node:assert/strict";
import { portsTable, removal } from "./nft_table.ts";

const rulesOf = (hostname: string, workers = 2) =>
  portsTable({ hostname, port: 443 }, workers).split("\n").filter((line) =>
    line.includes("redirect")
  )
    .map((line) => line.trim());

Deno.test("portsTable() spreads both families over as many ports as there are workers", () => {
  const map = "mod 3 map { 0 : 443, 1 : 444, 2 : 445 }";
  assert.deepEqual(rulesOf("::", 3), [
    `meta nfproto ipv4 udp dport 443 redirect to : jhash ip saddr . udp sport ${map}`,
    `meta nfproto ipv6 udp dport 443 redirect to : jhash ip6 saddr . udp sport ${map}`,
  ]);
});

Deno.test("portsTable() touches only what is for the address that the server listens on", () => {
  const [v4, ...moreOf4] = rulesOf("192.0.2.1");
  const [v6, ...moreOf6] = rulesOf("2001:db8::1");
  assert.match(v4!, /^meta nfproto ipv4 ip daddr 192\.0\.2\.1 udp dport 443 /);
  assert.match(v6!, /^meta nfproto ipv6 ip6 daddr 2001:db8::1 udp dport 443 /);
  assert.deepEqual([...moreOf4, ...moreOf6], []);
  assert.equal(rulesOf("0.0.0.0").length, 1);
});

Deno.test("portsTable() takes the place of an earlier table of the same port, and of no other", () => {
  assert.ok(portsTable({ hostname: "::", port: 443 }, 2).startsWith(removal(443)));
  assert.match(
    removal(443),
    /^table inet qumo_relay_443 \{\n\}\ndelete table inet qumo_relay_443\n$/,
  );
});
