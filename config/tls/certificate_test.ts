import { inDirectory } from "../../tests/support/borrowed.ts";
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { certificateHosts, loadCertificate } from "./certificate.ts";
import { type Certificate, TlsSetupError } from "./pem_pair.ts";
import { selfSigned } from "./self_signed.ts";

const DAY_MS = 86_400_000;
const HOSTS = ["localhost", "127.0.0.1", "::1"];

const made = (dir: string, now: number, hosts = HOSTS) =>
  loadCertificate({ certFile: undefined, keyFile: undefined, dir, hosts, now: () => now });

const fromFiles = (dir: string, now = Date.now()) =>
  loadCertificate({
    certFile: `${dir}/server.crt`,
    keyFile: `${dir}/server.key`,
    dir: `${dir}/made`,
    hosts: HOSTS,
    now: () => now,
  });

async function writePair(dir: string, cert: string, key: string): Promise<void> {
  await Deno.writeTextFile(`${dir}/server.crt`, cert);
  await Deno.writeTextFile(`${dir}/server.key`, key);
}

/** The message of the failure, which must begin as the documents say. */
async function failure(attempt: Promise<Certificate>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    assert.ok(error instanceof TlsSetupError, String(error));
    assert.equal(error.code, "QUMO_TLS_SETUP");
    assert.ok(error.message.startsWith("Failed to setup TLS: "), error.message);
    return error.message;
  }
  return assert.fail("the certificate was accepted");
}

Deno.test("loadCertificate() makes a certificate that is kept for the next start", () =>
  inDirectory(async (dir) => {
    const now = Date.now();
    const first = await made(`${dir}/certs`, now);
    assert.ok(first.made && first.selfSigned && first.pinnable);
    assert.deepEqual(first.warnings, []);
    const second = await made(`${dir}/certs`, now + 11 * DAY_MS);
    assert.deepEqual(second.sha256, first.sha256);
    assert.equal(second.key, first.key);
  }));

Deno.test("loadCertificate() keeps a made key from other users", {
  ignore: Deno.build.os === "windows",
}, () =>
  inDirectory(async (dir) => {
    await made(dir, Date.now());
    assert.equal((await Deno.stat(`${dir}/dev.key`)).mode! & 0o777, 0o600);
    const names = [...Deno.readDirSync(dir)].map((entry) => entry.name).sort();
    assert.deepEqual(names, ["dev.crt", "dev.key"]);
  }));

Deno.test("loadCertificate() replaces a made certificate on its last day", () =>
  inDirectory(async (dir) => {
    const now = Date.now();
    const first = await made(dir, now);
    const second = await made(dir, now + 12 * DAY_MS + 1);
    assert.notDeepEqual(second.sha256, first.sha256);
    assert.equal(second.notAfterMs, Math.floor((now + 25 * DAY_MS + 1) / 1000) * 1000);
  }));

Deno.test("loadCertificate() replaces a made certificate that lacks a host", () =>
  inDirectory(async (dir) => {
    const now = Date.now();
    const first = await made(dir, now);
    const respelt = await made(dir, now, ["LOCALHOST", "0:0:0:0:0:0:0:1"]);
    assert.deepEqual(respelt.sha256, first.sha256);
    const wider = await made(dir, now, [...HOSTS, "relay.example"]);
    assert.notDeepEqual(wider.sha256, first.sha256);
    assert.deepEqual(wider.hosts, [...HOSTS, "relay.example"]);
  }));

Deno.test("loadCertificate() replaces a kept certificate that is broken", () =>
  inDirectory(async (dir) => {
    const first = await made(dir, Date.now());
    await Deno.writeTextFile(`${dir}/dev.crt`, first.cert.slice(0, 200));
    const second = await made(dir, Date.now());
    assert.notDeepEqual(second.sha256, first.sha256);
    assert.deepEqual((await made(dir, Date.now())).sha256, second.sha256);
  }));

Deno.test("loadCertificate() never touches the files of a user beside the made ones", () =>
  inDirectory(async (dir) => {
    await writePair(dir, "mine", "mine too");
    await made(dir, Date.now());
    assert.equal(await Deno.readTextFile(`${dir}/server.crt`), "mine");
    assert.equal(await Deno.readTextFile(`${dir}/server.key`), "mine too");
  }));

Deno.test("loadCertificate() goes on with a warning where the directory cannot be written", () =>
  inDirectory(async (dir) => {
    await Deno.writeTextFile(`${dir}/certs`, "a file where the directory should be");
    const certificate = await made(`${dir}/certs`, Date.now());
    assert.match(certificate.warnings.join(), /is not kept, as .*certs cannot be written/);
  }));

Deno.test("loadCertificate() reads a pair of PEM files, with the hash of the first certificate", () =>
  inDirectory(async (dir) => {
    const [own, other] = [await selfSigned(HOSTS), await selfSigned(["ca.example"])];
    const chain = `Bag Attributes\n  friendlyName: x\n${own.cert}${other.cert}`;
    await writePair(dir, chain.replaceAll("\n", "\r\n"), `# the key\n${own.key}`);
    const certificate = await fromFiles(dir);
    assert.deepEqual(certificate.sha256, own.sha256);
    assert.equal(certificate.cert, own.cert + other.cert);
    assert.equal(certificate.key, own.key);
    assert.equal(certificate.made, false);
    assert.deepEqual(certificate.hosts, HOSTS);
  }));

Deno.test("loadCertificate() names both files that are missing, and what to do", () =>
  inDirectory(async (dir) => {
    const message = await failure(fromFiles(dir));
    assert.match(message, /server\.crt \(server\.cert_file\): no such file; make a pair with/);
    assert.match(message, /server\.key \(server\.key_file\): no such file/);
  }));

Deno.test("loadCertificate() says what is wrong with a file that holds no certificate or no key", () =>
  inDirectory(async (dir) => {
    const { cert, key } = await selfSigned(HOSTS);
    const broken = cert.replace(/\n[^-]{20}/, "\nAAAAAAAAAAAAAAAAAAAA");
    const locked = key.replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    const cases: [string, string, RegExp][] = [
      [key, key, /server\.cert_file\): holds no CERTIFICATE block/],
      ["", key, /server\.cert_file\): holds no CERTIFICATE block/],
      [broken, key, /server\.cert_file\): holds no readable certificate/],
      [cert, cert, /server\.key_file\): holds no PRIVATE KEY block/],
      [cert, key.replace(/\n[^-]{20}/, "\nAAAAAAAAAAAAAAAAAAAA"), /holds no readable private key/],
      [cert, locked, /locked with a passphrase/],
    ];
    for (const [certText, keyText, expected] of cases) {
      await writePair(dir, certText, keyText);
      assert.match(await failure(fromFiles(dir)), expected);
    }
  }));

Deno.test("loadCertificate() refuses a key of another certificate, of whatever kind", () =>
  inDirectory(async (dir) => {
    const { cert } = await selfSigned(HOSTS);
    const pem = { type: "pkcs8", format: "pem" } as const;
    const keys = [
      (await selfSigned(HOSTS)).key,
      generateKeyPairSync("ed25519").privateKey.export(pem).toString(),
      generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export(pem).toString(),
      generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export(pem).toString(),
    ];
    for (const key of keys) {
      await writePair(dir, cert, key);
      assert.match(
        await failure(fromFiles(dir)),
        /the key in .* does not match the certificate in/,
      );
    }
  }));

Deno.test("loadCertificate() accepts an expired certificate with a warning", () =>
  inDirectory(async (dir) => {
    const { cert, key } = await selfSigned(HOSTS, { now: Date.now() - 20 * DAY_MS });
    await writePair(dir, cert, key);
    assert.match((await fromFiles(dir)).warnings.join(), /expired on \d{4}-\d\d-\d\d/);
    const early = await fromFiles(dir, Date.now() - 30 * DAY_MS);
    assert.match(early.warnings.join(), /valid only from/);
  }));

Deno.test("loadCertificate() tells a long-lived certificate cannot be pinned by browsers", () =>
  inDirectory(async (dir) => {
    const { cert, key } = await selfSigned(HOSTS, { days: 365 });
    await writePair(dir, cert, key);
    assert.equal((await fromFiles(dir)).pinnable, false);
  }));

Deno.test("certificateHosts() names this machine and what is asked for, each once", () => {
  const hosts = certificateHosts(["relay.example", "::1"]);
  for (const host of [...HOSTS, "relay.example"]) {
    assert.equal(hosts.filter((h) => h === host).length, 1, host);
  }
});
