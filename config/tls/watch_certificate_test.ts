import assert from "node:assert/strict";
import { loadCertificate } from "./certificate.ts";
import type { Certificate, TlsSetupError } from "./pem_pair.ts";
import { selfSigned } from "./self_signed.ts";
import { watchCertificate } from "./watch_certificate.ts";

const DAY_MS = 86_400_000;

/** A watch over a directory whose looks happen when the test says so. */
class Harness {
  readonly changes: Certificate[] = [];
  readonly problems: string[] = [];
  nowMs = Date.now();
  refuse: Error | undefined;
  readonly #abort = new AbortController();
  #atRest = Promise.withResolvers<void>();
  #go = Promise.withResolvers<void>();
  #ended: Promise<void> = Promise.resolve();

  constructor(readonly dir: string, readonly files: boolean) {}

  async start(): Promise<Certificate> {
    const options = {
      certFile: this.files ? `${this.dir}/server.crt` : undefined,
      keyFile: this.files ? `${this.dir}/server.key` : undefined,
      dir: this.dir,
      hosts: ["localhost"],
      now: () => this.nowMs,
    };
    const first = await loadCertificate(options);
    this.#ended = watchCertificate(first, {
      ...options,
      signal: this.#abort.signal,
      onChange: (certificate) => {
        if (this.refuse) throw this.refuse;
        this.changes.push(certificate);
      },
      onProblem: (error: TlsSetupError) => this.problems.push(error.message),
      delay: () => {
        this.#atRest.resolve();
        return this.#go.promise;
      },
    });
    await this.#atRest.promise;
    return first;
  }

  /** One look, from its beginning to its end. */
  async look(): Promise<void> {
    const go = this.#go;
    this.#atRest = Promise.withResolvers();
    this.#go = Promise.withResolvers();
    go.resolve();
    await this.#atRest.promise;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#go.resolve();
    await this.#ended;
  }

  async write(cert: string, key: string): Promise<void> {
    await Deno.writeTextFile(`${this.dir}/server.crt`, cert);
    await Deno.writeTextFile(`${this.dir}/server.key`, key);
  }
}

async function watching(
  files: boolean,
  test: (harness: Harness, first: Certificate) => Promise<void>,
): Promise<void> {
  const harness = new Harness(await Deno.makeTempDir(), files);
  try {
    const { cert, key } = await selfSigned(["localhost"]);
    if (files) await harness.write(cert, key);
    await test(harness, await harness.start());
  } finally {
    await harness.stop();
    await Deno.remove(harness.dir, { recursive: true });
  }
}

Deno.test("watchCertificate() says nothing while the files stay", () =>
  watching(true, async (harness) => {
    await harness.look();
    await harness.look();
    assert.deepEqual([harness.changes, harness.problems], [[], []]);
  }));

Deno.test("watchCertificate() takes a pair that was renamed into place, once", () =>
  watching(true, async (harness) => {
    const next = await selfSigned(["localhost"]);
    for (const [name, text] of [["server.crt", next.cert], ["server.key", next.key]] as const) {
      await Deno.writeTextFile(`${harness.dir}/${name}.new`, text);
      await Deno.rename(`${harness.dir}/${name}.new`, `${harness.dir}/${name}`);
    }
    await harness.look();
    await harness.look();
    assert.deepEqual(harness.changes.map((c) => c.sha256), [next.sha256]);
    assert.deepEqual(harness.problems, []);
  }));

Deno.test("watchCertificate() waits out a half-replaced pair without a word", () =>
  watching(true, async (harness, first) => {
    const next = await selfSigned(["localhost"]);
    await harness.write(next.cert, first.key);
    await harness.look();
    await harness.write(next.cert, next.key);
    await harness.look();
    assert.deepEqual(harness.changes.map((c) => c.sha256), [next.sha256]);
    assert.deepEqual(harness.problems, []);
  }));

Deno.test("watchCertificate() keeps the last good pair and tells once why the new one is not taken", () =>
  watching(true, async (harness, first) => {
    await Deno.writeTextFile(`${harness.dir}/server.crt`, first.cert.slice(0, 100));
    for (let i = 0; i < 4; i++) await harness.look();
    assert.equal(harness.changes.length, 0);
    assert.equal(harness.problems.length, 1);
    assert.match(harness.problems[0]!, /^Failed to setup TLS: .*holds no CERTIFICATE block/);

    await Deno.remove(`${harness.dir}/server.crt`);
    for (let i = 0; i < 3; i++) await harness.look();
    assert.equal(harness.problems.length, 2);
    assert.match(harness.problems[1]!, /no such file/);

    await harness.write(first.cert, first.key);
    await harness.look();
    assert.equal(harness.changes.length, 0, "the pair in use came back");
    const next = await selfSigned(["localhost"]);
    await harness.write(next.cert, next.key);
    await harness.look();
    assert.equal(harness.changes.length, 1);
  }));

Deno.test("watchCertificate() offers a pair again that could not be taken into use", () =>
  watching(true, async (harness) => {
    harness.refuse = new Error("the endpoint is gone");
    const next = await selfSigned(["localhost"]);
    await harness.write(next.cert, next.key);
    for (let i = 0; i < 3; i++) await harness.look();
    assert.equal(harness.problems.length, 1);
    assert.match(harness.problems[0]!, /could not be taken into use: the endpoint is gone/);
    harness.refuse = undefined;
    for (let i = 0; i < 3; i++) await harness.look();
    assert.deepEqual(harness.changes.map((c) => c.sha256), [next.sha256]);
  }));

Deno.test("watchCertificate() replaces a made certificate on its last day, again and again", () =>
  watching(false, async (harness, first) => {
    harness.nowMs += 11 * DAY_MS;
    await harness.look();
    assert.equal(harness.changes.length, 0);
    for (let i = 1; i <= 3; i++) {
      harness.nowMs += 12 * DAY_MS + 60_000;
      await harness.look();
      assert.equal(harness.changes.length, i);
    }
    const hashes = [first, ...harness.changes].map((c) => c.sha256.toHex());
    assert.equal(new Set(hashes).size, 4);
    assert.ok(harness.changes.every((c) => c.made));
  }));

Deno.test("watchCertificate() ends with its signal, in the middle of a wait", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const options = { certFile: undefined, keyFile: undefined, dir, hosts: ["localhost"] };
    const abort = new AbortController();
    const first = await loadCertificate(options);
    const ended = watchCertificate(first, {
      ...options,
      signal: abort.signal,
      onChange: () => assert.fail("nothing changed"),
      onProblem: (error) => assert.fail(error.message),
    });
    abort.abort();
    assert.equal(await ended, undefined);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
