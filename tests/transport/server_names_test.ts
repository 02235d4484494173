/** Several certificates by host name, over TCP. */
import assert from "node:assert/strict";
import { parseConfig } from "../../config/load.ts";
import { selfSigned } from "../../config/tls/self_signed.ts";
import { launch, type Launched, until } from "../support/server.ts";

/** Writes a pair and returns its entry of `server.certificates`. */
async function pairIn(dir: string, name: string, hosts: string[]) {
  const { cert, key } = await selfSigned(hosts);
  const [certFile, keyFile] = [`${dir}/${name}.crt`, `${dir}/${name}.key`];
  await Deno.writeTextFile(certFile, cert);
  await Deno.writeTextFile(keyFile, key);
  return { cert, entry: `${certFile} ${keyFile}` };
}

/** Whether a client that trusts this certificate alone gets an answer under a name. */
async function answers(relay: Launched, hostname: string, cert: string) {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.port });
  try {
    const tls = await Deno.startTls(conn, { hostname, caCerts: [cert] });
    await tls.write(
      new TextEncoder().encode(
        `GET /health HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`,
      ),
    );
    const buffer = new Uint8Array(1024);
    const length = await tls.read(buffer);
    tls.close();
    return new TextDecoder().decode(buffer.subarray(0, length ?? 0)).startsWith("HTTP/1.1 200");
  } catch {
    return false;
  }
}

Deno.test("each name gets its certificate over TCP, others the first one; replaced files and a reload are picked up", async () => {
  const dir = await Deno.makeTempDir();
  const live = await pairIn(dir, "live", ["live.example"]);
  const wild = await pairIn(dir, "wild", ["*.tv.example", "tv.example"]);
  const flags = { "server.certificates": `${live.entry},${wild.entry}` };
  await using relay = await launch({ flags });
  const own = relay.certificate.cert;
  assert.equal(await answers(relay, "live.example", live.cert), true);
  assert.equal(await answers(relay, "LIVE.example", live.cert), true);
  assert.equal(await answers(relay, "a.tv.example", wild.cert), true);
  assert.equal(await answers(relay, "tv.example", wild.cert), true);
  assert.equal(await answers(relay, "localhost", own), true);
  assert.equal(await answers(relay, "live.example", wild.cert), false);
  const page = await fetch(`http://127.0.0.1:${relay.port}/announced`, {
    headers: { origin: "https://live.example" },
  });
  assert.equal(page.status, 403);
  await page.body?.cancel();

  const renewed = await pairIn(dir, "live", ["live.example"]);
  const other = await pairIn(dir, "other", ["other.example"]);
  await relay.server.reload(
    parseConfig("", {
      flags: {
        "server.address": "127.0.0.1:0",
        "admin.address": "127.0.0.1:0",
        "server.certificates": `${live.entry},${other.entry},${dir}/no.crt ${dir}/no.key`,
      },
    }),
    relay.certificate,
  );
  assert.equal(await answers(relay, "live.example", renewed.cert), true);
  assert.equal(await answers(relay, "other.example", other.cert), true);
  assert.equal(await answers(relay, "tv.example", wild.cert), false);
  const checked = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", new URL("../../main.ts", import.meta.url).pathname, "check"],
      ...["--server.certificates", `${live.entry},${dir}/no.crt ${dir}/no.key`],
    ],
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(checked.code, 2);
  const said = new TextDecoder().decode(checked.stderr);
  assert.match(said, /server\.certificates: .*no\.crt/);
  assert.ok(!said.includes("live.crt"), said);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a TLS hello that comes byte by byte, or makes no sense, harms nobody", async () => {
  const dir = await Deno.makeTempDir();
  const live = await pairIn(dir, "live", ["live.example"]);
  await using relay = await launch({
    flags: { "server.certificates": live.entry, "server.handshake_timeout": "1s" },
  });
  const hello = Uint8Array.of(0x16, 3, 1, 0xff, 0xff, 1, 0, 0, 0, 3, 3);
  let closed = 0;
  for (const cut of [1, 4, 11]) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.port });
    for (const byte of hello.subarray(0, cut)) await conn.write(Uint8Array.of(byte));
    void conn.read(new Uint8Array(10)).catch(() => {}).then(() => {
      closed++;
      conn.close();
    });
  }
  await until(() => closed === 3, "all of them to be closed");
  assert.equal(await answers(relay, "live.example", live.cert), true);
  await Deno.remove(dir, { recursive: true });
});
