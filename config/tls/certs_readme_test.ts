import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { loadCertificate } from "./certificate.ts";

const openssl = new Deno.Command("openssl", { args: ["version"], stdout: "null", stderr: "null" });
const hasOpenssl = await openssl.output().then(({ success }) => success, () => false);

/** Commands of the page that begin with `word`, their continued lines joined. */
function commands(page: string, word: string): string[] {
  const joined = page.replace(/\\\n\s*/g, "");
  return joined.split("\n").filter((line) => line.startsWith(word));
}

Deno.test("the OpenSSL commands of certs/README.md make a certificate that works", {
  ignore: !hasOpenssl || Deno.build.os === "windows",
}, async () => {
  const page = await Deno.readTextFile(new URL("../../certs/README.md", import.meta.url));
  const [make, hash] = commands(page, "openssl");
  const dir = await Deno.makeTempDir();
  const run = async (command: string) => {
    const { success, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", command],
      cwd: dir,
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  };
  try {
    await Deno.mkdir(`${dir}/certs`);
    await run(make!);
    const certificate = await loadCertificate({
      certFile: `${dir}/certs/server.crt`,
      keyFile: `${dir}/certs/server.key`,
      dir,
      hosts: [],
    });
    assert.ok(certificate.pinnable);
    assert.deepEqual(certificate.warnings, []);
    assert.equal(certificate.hosts.length, 3);
    assert.equal(new X509Certificate(certificate.cert).ca, false);
    const der = Uint8Array.from(new X509Certificate(certificate.cert).raw);
    assert.equal(certificate.sha256.toHex(), createHash("sha256").update(der).digest("hex"));
    assert.ok((await run(hash!)).includes(certificate.sha256.toHex()));

    // A client that trusts nothing else accepts it over QUIC, as a browser or a Rust client would.
    const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
    const { cert, key } = certificate;
    const listener = endpoint.listen({ cert, key, alpnProtocols: ["test"] });
    const accepted = listener.accept();
    const client = await Deno.connectQuic({
      hostname: "127.0.0.1",
      port: endpoint.addr.port,
      serverName: "localhost",
      alpnProtocols: ["test"],
      caCerts: [cert],
    });
    await accepted;
    client.close();
    listener.stop();
    endpoint.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
