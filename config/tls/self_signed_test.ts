import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { selfSigned } from "./self_signed.ts";

/** Serves with the certificate and dials it by `host`, trusting nothing else. */
async function dial(cert: string, key: string, host: string): Promise<void> {
  using listener = Deno.listenTls({ port: 0, hostname: "127.0.0.1", cert, key });
  const served = listener.accept().then(async (conn) => {
    await conn.handshake().catch(() => {}); // the client tells
    conn.close();
  });
  const tcp = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  try {
    const tls = await Deno.startTls(tcp, { hostname: host, caCerts: [cert] });
    try {
      await tls.handshake();
    } finally {
      tls.close();
    }
  } finally {
    await served;
  }
}

Deno.test("selfSigned() makes certificates that a TLS client verifies by name and by address", async () => {
  // Enough rounds to meet signatures and serial numbers that begin with a zero or a high bit.
  for (let i = 0; i < 16; i++) {
    const { cert, key } = await selfSigned(["localhost", "127.0.0.1", "::1", "2001:db8::5"]);
    for (const host of ["localhost", "127.0.0.1", "::1", "2001:db8::5"]) {
      await dial(cert, key, host);
    }
  }
});

Deno.test("selfSigned() makes a certificate for no other host", async () => {
  const { cert, key } = await selfSigned(["localhost", "::1"]);
  await assert.rejects(dial(cert, key, "relay.example"), /not valid for name/);
  await assert.rejects(dial(cert, key, "::2"), /not valid for name/);
});

Deno.test("selfSigned() lasts as long as asked, in both forms of a date", async () => {
  const now = Date.UTC(2049, 11, 20);
  const { cert } = await selfSigned(["localhost"], { now, days: 13 });
  const { validFrom, validTo } = new X509Certificate(cert);
  assert.equal(Date.parse(validFrom), now - 60_000);
  assert.equal(Date.parse(validTo), Date.UTC(2050, 0, 2));
});

Deno.test("selfSigned() stays below the 14 days browsers allow and is no authority", async () => {
  const x509 = new X509Certificate((await selfSigned(["localhost"])).cert);
  const days = (Date.parse(x509.validTo) - Date.parse(x509.validFrom)) / 86_400_000;
  assert.ok(days > 13 && days < 14, String(days));
  assert.equal(x509.ca, false);
});

Deno.test("selfSigned() tells the SHA-256 of the certificate's DER", async () => {
  const { cert, sha256 } = await selfSigned(["localhost"]);
  const body = cert.replace(/-----.*-----/g, "").replace(/\s/g, "");
  const expected = createHash("sha256").update(Uint8Array.fromBase64(body)).digest("hex");
  assert.equal(sha256.toHex(), expected);
});

Deno.test("selfSigned() makes another key and serial number each time", async () => {
  const [a, b] = [await selfSigned(["localhost"]), await selfSigned(["localhost"])];
  assert.notEqual(a.key, b.key);
  assert.notEqual(
    new X509Certificate(a.cert).serialNumber,
    new X509Certificate(b.cert).serialNumber,
  );
});

Deno.test("selfSigned() refuses to be for nobody", async () => {
  await assert.rejects(selfSigned([]), RangeError);
});
