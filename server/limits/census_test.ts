import assert from "node:assert/strict";
import { addressKey } from "./address_key.ts";
import { Census, clearCensus, sharedCensus } from "./census.ts";

Deno.test("addressKey() is an IPv4 address or a /64 of IPv6, however it is written", () => {
  const cases = {
    "192.0.2.1:5000": "192.0.2.1",
    "[::ffff:192.0.2.1]:80": "192.0.2.1",
    "[2001:db8:1:2::5]:443": "20010db800010002/64",
    "[2001:db8:1:2:ffff::1]:444": "20010db800010002/64",
    "[2001:db8:1:3::5]:443": "20010db800010003/64",
    "[::1]:9": "0000000000000000/64",
    "memory": "memory",
  };
  for (const [address, key] of Object.entries(cases)) assert.equal(addressKey(address), key);
});

Deno.test("threads count their sessions together, and those of a thread that died are gone", () => {
  const shared = sharedCensus(2);
  const [a, b] = [new Census(shared, 0), new Census(shared, 1)];
  const leave = a.enter("192.0.2.1:1");
  a.enter("192.0.2.2:1");
  b.enter("192.0.2.1:7");
  assert.deepEqual([a.sessions, b.sessions], [3, 3]);
  assert.deepEqual([b.sessionsOf("192.0.2.1:9"), b.sessionsOf("192.0.2.9:9")], [2, 0]);
  leave();
  assert.deepEqual([b.sessions, b.sessionsOf("192.0.2.1:9")], [2, 1]);
  clearCensus(shared, 1);
  assert.deepEqual([a.sessions, a.sessionsOf("192.0.2.1:9")], [1, 0]);
});

Deno.test("kept bytes of all threads add up", () => {
  const shared = sharedCensus(2);
  const [a, b] = [new Census(shared, 0), new Census(shared, 1)];
  a.setCacheBytes(8192);
  b.setCacheBytes(3 * 2 ** 40 / 1024);
  assert.equal(a.cacheBytes, 8192 + 3 * 2 ** 30);
});

Deno.test("ten thousand addresses are told apart", () => {
  const census = new Census();
  for (let i = 0; i < 10_000; i++) census.enter(`10.${i >> 8}.${i & 255}.1:5`);
  let exact = 0;
  for (let i = 0; i < 1000; i++) {
    const count = census.sessionsOf(`10.${i >> 8}.${i & 255}.1:5`);
    assert.ok(count >= 1 && count <= 3, `${count}`);
    if (count === 1) exact++;
  }
  assert.ok(exact > 950, `${exact} of 1000 exact`);
});
