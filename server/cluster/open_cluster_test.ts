import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { ownAddresses } from "./open_cluster.ts";

Deno.test("ownAddresses() knows a node that listens everywhere by every address of the machine, at its port", () => {
  const own = ownAddresses({ hostname: "::", port: 4433 });
  for (const { address } of Object.values(networkInterfaces()).flatMap((one) => one ?? [])) {
    if (address.includes("%")) continue;
    const host = address.includes(":") ? `[${address}]` : address;
    assert.equal(own(`https://${host}:4433/`), true, address);
    assert.equal(own(`moqt://${host}:4434/`), false, address);
  }
  assert.equal(own("https://192.0.2.1:4433/"), false);
  assert.equal(own("https://localhost:4433/"), false, "a name is for the links to find out");
});

Deno.test("ownAddresses() knows a node that listens at one address by that alone", () => {
  const own = ownAddresses({ hostname: "127.0.0.2", port: 443 });
  assert.equal(own("https://127.0.0.2/"), true);
  assert.equal(own("https://127.0.0.1/"), false);
});
