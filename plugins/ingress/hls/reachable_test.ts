import assert from "node:assert/strict";
import { HlsRefused, isPublicAddress, Reachable } from "./reachable.ts";

Deno.test("isPublicAddress() knows public hosts, and refuses every form of the others", () => {
  for (const one of ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "2a00::1"]) {
    assert.equal(isPublicAddress(one), true, one);
  }
  const not = [
    ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.0.1", "169.254.169.254"],
    ...["172.16.0.1", "172.31.255.255", "192.0.0.8", "192.168.1.1", "198.18.0.1", "224.0.0.1"],
    ...["240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8"],
    ...["::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "fc00::1", "fd00:ec2::254", "fe80::1"],
    ...["fec0::1", "ff02::1", "2001:db8::1", "2001::1", "2002:a00:1::", "3fff::1", "100::1"],
    ...["localhost", "example.com", ""],
  ];
  for (const one of not) assert.equal(isPublicAddress(one), false, one);
});

Deno.test("Reachable gives the public addresses of a name alone, and none of one that has only others", async () => {
  const answers: Record<string, string[]> = {
    "mixed.test": ["10.0.0.1", "1.1.1.1", "::1"],
    "inside.test": ["10.0.0.1", "fd00::1"],
    "nowhere.test": [],
  };
  const reachable = new Reachable([], (name) => Promise.resolve(answers[name]!));
  assert.deepEqual(await reachable.addressesOf("mixed.test", 80), ["1.1.1.1"]);
  for (const name of ["inside.test", "nowhere.test", "10.0.0.1", "::ffff:127.0.0.1"]) {
    await assert.rejects(reachable.addressesOf(name, 80), (error: Error) => {
      assert.ok(error instanceof HlsRefused);
      assert.match(error.message, /not public; name .* in `private_hosts`/);
      return true;
    });
  }
});

Deno.test("Reachable asks for a name once for each connection: a second answer is judged anew", async () => {
  const answers = [["1.1.1.1"], ["127.0.0.1"]];
  const reachable = new Reachable([], () => Promise.resolve(answers.shift()!));
  assert.deepEqual(await reachable.addressesOf("rebound.test", 80), ["1.1.1.1"]);
  await assert.rejects(reachable.addressesOf("rebound.test", 80), /which is 127\.0\.0\.1/);
});

Deno.test("Reachable lets through what is named, on its port where one is named", async () => {
  const hosts = [{ hostname: "NAS", port: 0 }, { hostname: "10.0.0.7", port: 8080 }];
  const reachable = new Reachable(hosts, () => Promise.resolve(["192.168.0.9"]));
  assert.deepEqual(await reachable.addressesOf("nas", 1234), ["192.168.0.9"]);
  assert.deepEqual(await reachable.addressesOf("10.0.0.7", 8080), ["10.0.0.7"]);
  const other = new Reachable([{ hostname: "FD00:0::1", port: 0 }]);
  assert.deepEqual(await other.addressesOf("fd00::1", 80), ["fd00::1"]);
  await assert.rejects(reachable.addressesOf("10.0.0.7", 80), HlsRefused);
  await assert.rejects(reachable.addressesOf("nas.evil.test", 80), HlsRefused);
});
