import assert from "node:assert/strict";
import { banner, startWarnings } from "./banner.ts";

const SHA256 = new Uint8Array(32).fill(0xab);
const CERTIFICATE = { selfSigned: true, pinnable: true, made: true, warnings: [] };

Deno.test("banner() lists the listeners, the page, the hash and the warnings", () => {
  const text = banner({
    version: "1.2.3",
    listeners: [{ name: "QUIC", address: "[::]:4433/udp" }],
    pageUrl: "http://localhost:4433/",
    certificate: { sha256: SHA256, notAfterMs: Date.UTC(2026, 11, 3, 10, 30) },
    warnings: ["first line\nsecond line"],
  });
  assert.equal(
    text,
    [
      "qumo-relay 1.2.3",
      "  QUIC                [::]:4433/udp",
      "  page                http://localhost:4433/",
      `  certificate sha256  ${"ab".repeat(32)}`,
      "  certificate ends    2026-12-03T10:30Z",
      "! first line",
      "  second line",
    ].join("\n"),
  );
});

Deno.test("banner() ends with the alarm in a frame", () => {
  const text = banner({
    version: "1.2.3",
    listeners: [],
    certificate: { sha256: SHA256, notAfterMs: 0 },
    warnings: ["a warning"],
    alarm: "OPEN\nto close it",
  });
  assert.deepEqual(text.split("\n").slice(-5), [
    "! a warning",
    "!!!!!!!!!!!!!!",
    "!! OPEN",
    "!! to close it",
    "!!!!!!!!!!!!!!",
  ]);
});

Deno.test("startWarnings() names every cause for care, and nothing on a guarded server", () => {
  const all = startWarnings({
    certificate: { ...CERTIFICATE, warnings: ["it expired"] },
    access: "anonymous: everybody may",
    socketBuffers: "buffers are low",
  });
  assert.equal(all.length, 4);
  assert.match(all[0]!, /^anonymous: /);
  assert.match(all[1]!, /self-signed: clients must be given its hash/);
  assert.deepEqual(all.slice(2), ["it expired", "buffers are low"]);
  const signed = { ...CERTIFICATE, selfSigned: false };
  const none = startWarnings({ certificate: signed, access: undefined, socketBuffers: undefined });
  assert.deepEqual(none, []);
});

Deno.test("startWarnings() tells when browsers cannot accept the certificate by its hash", () => {
  const certificate = { ...CERTIFICATE, pinnable: false };
  const [warning] = startWarnings({ certificate, access: undefined, socketBuffers: undefined });
  assert.match(warning!, /browsers do not accept it by its hash/);
});
