import assert from "node:assert/strict";
import { WebRtcRefused } from "./errors.ts";
import { ownAddresses } from "./own_addresses.ts";

const refused = () => {
  throw new Deno.errors.NotSupported("Address family not supported by protocol (os error 97)");
};

const FIB_TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.1.0.0/16 2 0 2
        |-- 10.1.0.0
           /16 link UNICAST
        |-- 10.1.2.3
           /32 host LOCAL
        |-- 10.1.255.255
           /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
Local:
        |-- 10.1.2.3
           /32 host LOCAL
`;

const IF_INET6 = `00000000000000000000000000000001 01 80 10 80       lo
fe800000000000000042acfffe110002 02 40 20 80     eth0
20010db8000000000000000000000007 02 40 00 80     eth0
`;

Deno.test("ownAddresses() leaves loopback and the link's own out, unless there is no other", () => {
  const read = refused;
  const of = (...addresses: string[]) =>
    ownAddresses({ read, interfaces: () => addresses.map((address) => ({ address })) });
  assert.deepEqual(of("127.0.0.1", "10.0.0.1", "fe80::1", "::1", "10.0.0.1"), ["10.0.0.1"]);
  assert.deepEqual(of("127.0.0.1", "::1"), ["127.0.0.1"]);
});

Deno.test("ownAddresses() reads /proc/net where interfaces may not be listed", () => {
  const files: Record<string, string> = {
    "/proc/net/fib_trie": FIB_TRIE,
    "/proc/net/if_inet6": IF_INET6,
  };
  const found = ownAddresses({ interfaces: refused, read: (path) => files[path]! });
  assert.deepEqual(found, ["10.1.2.3", "2001:db8::7"]);
});

Deno.test({
  name: "ownAddresses() finds by /proc/net of this machine what the system lists",
  ignore: Deno.build.os !== "linux",
  fn() {
    const read = (path: string) => Deno.readTextFileSync(path);
    const listed = ownAddresses({ interfaces: () => Deno.networkInterfaces(), read });
    assert.deepEqual(ownAddresses({ interfaces: refused, read }).sort(), listed.sort());
  },
});

Deno.test("ownAddresses() names the option to set where nothing tells the addresses", () => {
  assert.throws(() => ownAddresses({ interfaces: refused, read: refused }), (error) => {
    assert.ok(error instanceof WebRtcRefused);
    assert.equal(error.status, 503);
    assert.match(error.message, /cannot be listed .*97.*`addresses`/);
    return true;
  });
});
