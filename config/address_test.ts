import assert from "node:assert/strict";
import {
  formatAddress,
  ipBytes,
  isHostName,
  isIpAddress,
  isLoopback,
  parseAddress,
  unbracketed,
} from "./address.ts";

Deno.test("parseAddress() reads IPv4, IPv6, names and a port alone", () => {
  assert.deepEqual(parseAddress("0.0.0.0:4433"), { hostname: "0.0.0.0", port: 4433 });
  assert.deepEqual(parseAddress("[::1]:0"), { hostname: "::1", port: 0 });
  assert.deepEqual(parseAddress("relay.example:443"), { hostname: "relay.example", port: 443 });
  assert.deepEqual(parseAddress(":8080"), { hostname: "::", port: 8080 });
});

Deno.test("parseAddress() refuses what cannot be listened on", () => {
  const wrong = ["", "4433", "host", "::1:4433", "host:65536", "1.2.3.256:1", "[::g]:1", "a b:1"];
  for (const text of [...wrong, "host:", "http://host:1", "-a:1"]) {
    assert.equal(parseAddress(text), undefined, text);
  }
});

Deno.test("formatAddress() writes what parseAddress() reads", () => {
  for (const text of ["[::]:4433", "0.0.0.0:1", "localhost:65535"]) {
    assert.equal(formatAddress(parseAddress(text)!), text);
  }
});

Deno.test("ipBytes() spells out every form of an IPv6 address", () => {
  const loopback = new Uint8Array(16);
  loopback[15] = 1;
  assert.deepEqual(ipBytes("::1"), loopback);
  assert.deepEqual(ipBytes("0:0:0:0:0:0:0:1"), loopback);
  assert.deepEqual(ipBytes("::"), new Uint8Array(16));
  assert.equal(ipBytes("2001:db8::ff:1")!.toHex(), "20010db80000000000000000" + "00ff0001");
  assert.equal(ipBytes("::ffff:1.2.3.4")!.toHex(), "00000000000000000000ffff01020304");
  assert.equal(ipBytes("10.0.255.1")!.toHex(), "0a00ff01");
  assert.equal(ipBytes("relay.example"), undefined);
});

Deno.test("isLoopback() and isHostName() tell addresses apart", () => {
  assert.ok(isLoopback("127.0.0.53") && isLoopback("::1") && isLoopback("localhost"));
  assert.ok(!isLoopback("::") && !isLoopback("0.0.0.0") && !isLoopback("10.0.0.1"));
  assert.ok(isHostName("my_box") && isHostName("a.b-c.d"));
  assert.ok(!isHostName("") && !isHostName("a..b") && !isHostName("1.2.3") && !isHostName("é"));
});

Deno.test("isLoopback() and isIpAddress() take no name for an address", () => {
  const named = ["127.evil.example", "127.0.0.1.evil.example", "::1.evil.example", "127.0.0.1:80"];
  for (
    const name of [
      ...named,
      "127.0.0",
      "127.0.0.256",
      "::1]:80/#[",
      "localhost.evil.example",
      "[::1]",
      "",
    ]
  ) {
    assert.equal(isLoopback(name), false, name);
    assert.equal(isIpAddress(name), false, name);
  }
  for (const host of ["127.0.0.1", "127.9.9.9", "[::1]"]) {
    assert.ok(isLoopback(unbracketed(host)) && isIpAddress(unbracketed(host)), host);
  }
  assert.equal(isIpAddress("localhost"), false);
});
