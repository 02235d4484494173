import assert from "node:assert/strict";
import { upstreamTrust, UpstreamTrustError } from "./upstream_trust.ts";

Deno.test("upstreamTrust() reads the authorities' file, and passes the hash on", async () => {
  const file = await Deno.makeTempFile();
  const pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
  await Deno.writeTextFile(file, pem);
  const hash = new Uint8Array(32).fill(7);
  assert.deepEqual(upstreamTrust({ upstreamCaFile: file, upstreamHash: hash }), {
    hash,
    caCerts: [pem],
  });
  assert.deepEqual(upstreamTrust({}), {});
  await Deno.remove(file);
});

Deno.test("upstreamTrust() says which file cannot be used, and why", async () => {
  assert.throws(
    () => upstreamTrust({ upstreamCaFile: "nowhere.pem" }),
    (error: unknown) =>
      error instanceof UpstreamTrustError && /nowhere\.pem: No such/.test(error.message),
  );
  const file = await Deno.makeTempFile();
  assert.throws(() => upstreamTrust({ upstreamCaFile: file }), /no CERTIFICATE block/);
  await Deno.remove(file);
});
