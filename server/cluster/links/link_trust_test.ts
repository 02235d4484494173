import assert from "node:assert/strict";
import { authorities, LinkTrustError } from "./link_trust.ts";

Deno.test("authorities() reads the file, and is nothing without one", async () => {
  const file = await Deno.makeTempFile();
  const pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
  await Deno.writeTextFile(file, pem);
  assert.deepEqual(authorities("cluster.ca_file", file), { caCerts: [pem] });
  assert.deepEqual(authorities("cluster.ca_file", undefined), {});
  await Deno.remove(file);
});

Deno.test("authorities() says which setting and file cannot be used, and why", async () => {
  assert.throws(
    () => authorities("cluster.ca_file", "nowhere.pem"),
    (error: unknown) =>
      error instanceof LinkTrustError &&
      /cluster\.ca_file nowhere\.pem: No such/.test(error.message),
  );
  const file = await Deno.makeTempFile();
  assert.throws(() => authorities("cluster.ca_file", file), /no CERTIFICATE block/);
  await Deno.remove(file);
});
