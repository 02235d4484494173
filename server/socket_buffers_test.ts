import assert from "node:assert/strict";
import {
  parseCount,
  parseUdp6Drops,
  parseUdpDrops,
  readSocketBuffers,
  readUdpDrops,
  socketBufferWarning,
  WANTED_BUFFER_BYTES,
} from "./socket_buffers.ts";

const SNMP = `Ip: Forwarding DefaultTTL
Ip: 1 64
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors
Udp: 173 1 2 174 9041 4 5
UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors
UdpLite: 0 0 0 0 77 0 0
`;

const SNMP6 = `Udp6InErrors                    \t4
Udp6RcvbufErrors                \t12
UdpLite6RcvbufErrors            \t9
`;

Deno.test("parseUdpDrops() finds the column by its name, in the lines of UDP alone", () => {
  assert.equal(parseUdpDrops(SNMP), 9041);
});

Deno.test("parseUdpDrops() does not guess when the name or the numbers are absent", () => {
  assert.equal(parseUdpDrops(""), undefined);
  assert.equal(parseUdpDrops("Udp: InDatagrams\nUdp: 5\n"), undefined);
  assert.equal(parseUdpDrops("Udp: RcvbufErrors\n"), undefined);
});

Deno.test("parseUdp6Drops() reads UDP over IPv6 and not UDP-Lite", () => {
  assert.equal(parseUdp6Drops(SNMP6), 12);
  assert.equal(parseUdp6Drops("UdpLite6RcvbufErrors 9\n"), undefined);
});

Deno.test("parseCount() takes whole numbers and nothing else", () => {
  assert.equal(parseCount("212992\n"), 212_992);
  for (const text of [undefined, "", "-1", "1.5", "x"]) assert.equal(parseCount(text), undefined);
});

Deno.test("socketBufferWarning() gives the command for each buffer that is low", () => {
  const both = socketBufferWarning({ receiveBytes: 212_992, sendBytes: 212_992 })!;
  assert.match(both, /net\.core\.rmem_default is 212992/);
  assert.match(both, /\n {2}sudo sysctl -w net\.core\.rmem_default=8388608\n/);
  assert.match(both, /\n {2}sudo sysctl -w net\.core\.wmem_default=8388608$/);
  const one = socketBufferWarning({ receiveBytes: WANTED_BUFFER_BYTES, sendBytes: 1 })!;
  assert.doesNotMatch(one, /rmem/);
});

Deno.test("socketBufferWarning() is silent when the buffers are large or not known", () => {
  const enough = { receiveBytes: WANTED_BUFFER_BYTES, sendBytes: WANTED_BUFFER_BYTES };
  assert.equal(socketBufferWarning(enough), undefined);
  assert.equal(socketBufferWarning(undefined), undefined);
});

Deno.test("the figures of this system are read where it has them", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const buffers = await readSocketBuffers();
  assert.ok(buffers && buffers.receiveBytes > 0 && buffers.sendBytes > 0);
  assert.ok((await readUdpDrops())! >= 0);
});
