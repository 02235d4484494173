/**
 * `qumo-relay interop` as a program: both sides directly and through a relay, in every version; what it prints and how it
 * ends if a peer is wrong.
 */
import assert from "node:assert/strict";
import { serve } from "../../client/serve.ts";
import { LITE_VERSIONS } from "../../wire/versions.ts";
import { fromFileUrl } from "../../tools/file_url.ts";
import { type Program, start, startRelay } from "../support/program.ts";
import { testCertificate } from "../support/server.ts";

const STEPS = [
  ...["connect", "announcements", "subscribe", "group", "frame", "fetch", "probe", "publish"],
  ...["serve", "goaway", "close"],
];
/** Every version of moq-lite, and drafts of moq-transport with a control stream and without one. */
const TRIED = [...LITE_VERSIONS, "moq-transport-16", "moq-transport-18"];
/** What the client skips. */
const WITHOUT: Readonly<Record<string, readonly string[]>> = {
  "moq-lite-01": ["fetch", "probe", "goaway"],
  "moq-lite-02": ["fetch", "probe", "goaway"],
  "moq-lite-03": ["goaway"],
  "moq-transport-16": ["probe", "goaway"],
  "moq-transport-18": ["probe", "goaway"],
};

/** Each step's end: "ok", "failed" or "skipped". */
function outcomes(program: Program): Record<string, string> {
  const lines = program.output().matchAll(/^([a-z]+)\.\.\.(ok|failed|skipped)/gm);
  return Object.fromEntries([...lines].map(([, name, outcome]) => [name, outcome]));
}

function expected(skipped: readonly string[]): Record<string, string> {
  return Object.fromEntries(STEPS.map((step) => [step, skipped.includes(step) ? "skipped" : "ok"]));
}

/** A server on a free port, and how a client reaches it. */
async function listening() {
  const program = start(["interop", "server", "--listen", "127.0.0.1:0", "--timeout", "10s"]);
  const line = await program.saw(/moqt:\/\/\S+ --hash [0-9a-f]{64}/);
  const [url, , hash] = line.split(" ") as [string, string, string];
  return { program, url, hash };
}

for (const version of TRIED) {
  Deno.test(`interop passes between its client and its server in ${version}, GOAWAY included where the client can expect it`, async () => {
    for (const scheme of ["moqt", "https"]) {
      const { program: server, url, hash } = await listening();
      await using _server = server;
      const at = url.replace("moqt", scheme);
      const args = ["--url", at, "--hash", hash, "--version", version];
      await using client = start(["interop", "client", ...args]);
      assert.equal(await client.ended(), 0, client.output());
      assert.equal(await server.ended(), 0, server.output());
      assert.deepEqual(outcomes(client), expected(WITHOUT[version] ?? []));
      assert.ok(client.output().includes(`connect...ok (${version})`));
      assert.equal(outcomes(server).serve, "ok");
    }
  });
}

Deno.test("interop passes through a relay in every version, and does not wait for its GOAWAY", async () => {
  await using relay = await startRelay();
  for (const version of TRIED) {
    const args = ["--url", relay.url, "--version", version];
    await using server = start(["interop", "server", ...args]);
    await using client = start(["interop", "client", ...args]);
    assert.equal(await client.ended(), 0, client.output());
    assert.equal(await server.ended(), 0, server.output());
    assert.deepEqual(outcomes(client), expected([...(WITHOUT[version] ?? []), "goaway"]));
  }
});

Deno.test("--tap prints TAP 14: a plan, a numbered line a step, reasons as YAML and SKIP", async () => {
  const { program: server, url, hash } = await listening();
  await using _server = server;
  const args = ["--url", url, "--hash", hash, "--version", "moq-lite-03", "--tap"];
  await using client = start(["interop", "client", ...args]);
  assert.equal(await client.ended(), 0, client.output());
  const output = client.output();
  assert.ok(output.startsWith(`TAP version 14\n1..${STEPS.length}\nok 1 - connect\n  ---\n`));
  const lines = output.split("\n").filter((line) => /^(not )?ok /.test(line));
  assert.deepEqual(
    lines,
    STEPS.map((step, i) =>
      `ok ${i + 1} - ${step}${step === "goaway" ? " # SKIP moq-lite-03 has no GOAWAY" : ""}`
    ),
  );
  assert.match(output, / {2}duration_ms: \d+\n/);
});

Deno.test("a peer that sends something else fails the step, and those that need it are not run", async () => {
  const { cert, key, sha256 } = await testCertificate();
  await using server = await serve({ port: 0, cert, key });
  server.publish("interop/server", {
    ontrack: (name, broadcast) => broadcast.track(name).write("GOODBYE"),
  });
  const url = `moqt://127.0.0.1:${server.address!.port}/`;
  const dial = ["--url", url, "--hash", sha256.toHex(), "--timeout", "1s"];
  await using plain = start(["interop", "client", ...dial]);
  assert.equal(await plain.ended(), 1, plain.output());
  assert.match(plain.output(), /frame\.\.\.failed: expected HELLO, got "GOODBYE"/);
  assert.match(plain.output(), /goaway\.\.\.failed: no answer within 1s/);
  await using tap = start(["interop", "client", ...dial, "--tap"]);
  assert.equal(await tap.ended(), 1, tap.output());
  assert.match(tap.output(), /^not ok 5 - frame\n {2}---\n/m);
});

Deno.test("a connection that is lost fails the steps that wait, with the peer's reason", async () => {
  const { cert, key, sha256 } = await testCertificate();
  await using server = await serve({
    port: 0,
    cert,
    key,
    onsession: (session) => session.close(0, "had enough"),
  });
  const url = `moqt://127.0.0.1:${server.address!.port}/`;
  await using client = start(["interop", "client", "--url", url, "--hash", sha256.toHex()]);
  assert.equal(await client.ended(), 1, client.output());
  assert.match(
    client.output(),
    /announcements\.\.\.failed: the peer ended the session: had enough/,
  );
  assert.match(client.output(), /^Not run: subscribe, group, frame/m);
});

Deno.test("the example runs server and client, and ends with their result", async () => {
  const path = fromFileUrl(new URL("../../examples/interop/main.ts", import.meta.url));
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", path],
    stderr: "inherit",
  }).output();
  assert.equal(code, 0);
  const text = new TextDecoder().decode(stdout);
  assert.equal(text.match(/^close\.\.\.ok$/gm)?.length, 2, text);
});
