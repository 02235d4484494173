/** The program reloads its configuration after a signal, a changed file or a request to the admin interface. Viewers notice nothing. */
import assert from "node:assert/strict";
import { type Client, connect } from "../../client/mod.ts";
import { start } from "../support/program.ts";
import { parseConfig } from "../../config/load.ts";
import { launch, testCertificate, until } from "../support/server.ts";

interface Relay extends AsyncDisposable {
  readonly dir: string;
  readonly file: string;
  readonly port: number;
  readonly adminUrl: string;
  readonly hash: Uint8Array;
  readonly pid: number;
  saw(text: string | RegExp): Promise<string>;
  output(): string;
  write(yaml: string): Promise<void>;
  reload(): Promise<{ status: number; body: Record<string, unknown> }>;
  client(worker?: number): Promise<Client>;
}

/** A relay with a configuration file. What every file says: where to listen. */
async function startWithFile(yaml: string, workers = 1): Promise<Relay> {
  const dir = await Deno.makeTempDir({ prefix: "qumo-reload-" });
  const file = `${dir}/config.yaml`;
  const port = freePort(workers);
  const base =
    `server:\n  address: "127.0.0.1:${port}"\n  workers: ${workers}\n  cert_dir: ${dir}\n` +
    `admin: { address: "127.0.0.1:0" }\n`;
  // Renamed into its place: a watcher never sees half of it.
  const write = async (text: string) => {
    await Deno.writeTextFile(`${file}.new`, base + text);
    await Deno.rename(`${file}.new`, file);
  };
  await write(yaml);
  const program = start(["serve", "--config", file, "--logging.format", "json"]);
  const line = await program.saw(/"message":"started".*admin 127\.0\.0\.1:\d+/);
  const adminUrl = `http://${/admin (\S+:\d+)/.exec(line)![1]}`;
  const told = await (await fetch(`http://127.0.0.1:${port}/certificate.sha256`)).text();
  const hash = Uint8Array.fromHex(told.trim());
  return {
    dir,
    file,
    port,
    adminUrl,
    hash,
    pid: program.process.pid,
    saw: (text) => program.saw(text),
    output: () => program.output(),
    write,
    async reload() {
      const answer = await fetch(`${adminUrl}/api/v1/reload`, { method: "POST" });
      return { status: answer.status, body: await answer.json() };
    },
    client: (worker = 0) => connect(`https://127.0.0.1:${port + worker}/`, { hash }),
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** A port whose TCP twin and successors are free too. */
function freePort(count: number): number {
  for (;;) {
    using tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = tcp.addr as Deno.NetAddr;
    try {
      for (let i = 0; i < count; i++) {
        Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: port + i }).close();
      }
      return port;
    } catch { // one of them is taken
    }
  }
}

/** A publisher that writes a group every 100 ms, and viewers that note what they get. */
async function flowing(relay: Relay, viewers: number, workers = 1) {
  const publisher = await relay.client();
  const track = publisher.publish("live").track("numbers", { maxAgeMs: 10_000 });
  let written = 0;
  const writing = setInterval(() => track.write(String(written++)), 100);
  const clients = await Promise.all(
    Array.from({ length: viewers }, (_, i) => relay.client(i % workers)),
  );
  const got = clients.map((client) => {
    const groups: number[] = [];
    void (async () => {
      for await (const { path, active } of client.announced()) if (path === "live" && active) break;
      for await (const group of client.subscribe("live", "numbers")) groups.push(group.sequence);
    })().catch(() => {});
    return groups;
  });
  await until(() => got.every((groups) => groups.length > 2), "everybody to watch", 30_000);
  return {
    /** Groups that a viewer missed, once all viewers are up to date. */
    async lost(): Promise<number> {
      const upTo = written;
      const there = () => got.every((groups) => Math.max(...groups) >= upTo);
      await until(there, "the newest groups", 30_000);
      return got.reduce((sum, groups) => {
        const from = Math.min(...groups);
        return sum + (upTo - from + 1) - groups.filter((group) => group <= upTo).length;
      }, 0);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(writing);
      for (const client of [publisher, ...clients]) await client[Symbol.asyncDispose]();
    },
  };
}

const posix = { ignore: Deno.build.os === "windows" };

Deno.test(
  "SIGHUP, a changed file and POST /api/v1/reload take limits, level and public paths into use, and nobody loses a group",
  posix,
  async () => {
    await using relay = await startWithFile("auth: { anonymous: true }\n");
    await using flow = await flowing(relay, 20);

    await relay.write(
      "auth: { anonymous: true }\nlogging: { level: debug }\nlimits: { max_sessions: 21 }\n",
    );
    Deno.kill(relay.pid, "SIGHUP");
    await relay.saw(
      /"message":"configuration read again","applied":"limits.max_sessions, logging.level"/,
    );
    await assert.rejects(relay.client(), /503/);
    await relay.saw('"level":"debug"');

    await relay.write("auth: { public_subscribe: [open] }\nlimits: { max_sessions: 50 }\n");
    await relay.saw(
      /"applied":"limits.max_sessions, auth.anonymous, auth.public_subscribe, logging.level"/,
    );
    await assert.rejects(
      connect(`https://127.0.0.1:${relay.port}/secret`, { hash: relay.hash }),
      /401/,
    );

    await relay.write("auth: { anonymous: true }\nrelay: { linger: 1s }\n");
    const { status, body } = await relay.reload();
    assert.equal(status, 200);
    assert.deepEqual(body["needsRestart"], ["relay.linger"]);
    await relay.saw("relay.linger changed: takes effect after a restart");
    await using again = await relay.client();
    assert.ok(again);
    assert.equal(await flow.lost(), 0);
  },
);

Deno.test("a bad file changes nothing and says why, in the words of check", posix, async () => {
  await using relay = await startWithFile("auth: { anonymous: true }\n");
  await relay.write("auth: { anonymous: true }\nlimits: { max_sesions: 1 }\n");
  const { status, body } = await relay.reload();
  assert.equal(status, 422);
  await using check = start(["check", "--config", relay.file]);
  assert.equal(await check.ended(), 2);
  assert.ok(check.output().includes(String(body["error"])), `${check.output()} / ${body["error"]}`);
  assert.match(
    String(body["error"]),
    /config\.yaml:7:11 {2}limits\.max_sesions: unknown key; did you mean/,
  );
  await relay.write(`auth: { key_file: ${relay.dir}/none.jwk }\nlimits: { max_sessions: 1 }\n`);
  const second = await relay.reload();
  assert.equal(second.status, 422);
  assert.match(String(second.body["error"]), /none\.jwk/);
  await relay.write(`auth: { anonymous: true }\nplugins: [{ name: a, plugin: nothing }]\n`);
  assert.equal((await relay.reload()).status, 422);
  await using one = await relay.client();
  await using two = await relay.client();
  assert.ok(one && two, "the limit of the bad file is not in use");
});

Deno.test(
  "a file that says nothing of auth any more opens no relay that asks for tokens",
  posix,
  async () => {
    await using relay = await startWithFile("auth: { required: true }\n");
    const announced = async () => {
      const answer = await fetch(`http://127.0.0.1:${relay.port}/announced/`);
      await answer.body?.cancel();
      return answer.status;
    };
    assert.equal(await announced(), 401);
    await relay.write("");
    const { status, body } = await relay.reload();
    assert.equal(status, 422);
    assert.match(
      String(body["error"]),
      /the running server asks for tokens.*anonymous: true/,
    );
    assert.equal(await announced(), 401);
    await relay.write("auth: { anonymous: true }\n");
    assert.equal((await relay.reload()).status, 200);
    await relay.saw(/"message":"anonymous: everybody who reaches this server/);
    assert.equal(await announced(), 200);
  },
);

Deno.test("no other page makes the server read its configuration or drain", posix, async () => {
  await using relay = await startWithFile("auth: { anonymous: true }\n");
  for (const action of ["reload", "drain"]) {
    const url = `${relay.adminUrl}/api/v1/${action}`;
    const answer = await fetch(url, {
      method: "POST",
      headers: { origin: "https://evil.example" },
    });
    assert.equal(answer.status, 403);
    await answer.body?.cancel();
    const got = await fetch(url);
    assert.deepEqual([got.status, got.headers.get("allow")], [405, "POST, OPTIONS"]);
    await got.body?.cancel();
  }
  const ready = await fetch(`${relay.adminUrl}/ready`);
  assert.equal(ready.status, 200);
  await ready.body?.cancel();
});

Deno.test(
  "with workers every thread takes the new configuration",
  posix,
  async () => {
    await using relay = await startWithFile("auth: { anonymous: true }\n", 2);
    await using flow = await flowing(relay, 6, 2);
    await relay.write("auth: { public_subscribe: [open] }\n");
    await relay.saw(/configuration read again","applied":"auth.anonymous/);
    for (const worker of [0, 1]) {
      const url = `https://127.0.0.1:${relay.port + worker}/secret`;
      await assert.rejects(connect(url, { hash: relay.hash }), /401/);
    }
    assert.equal(await flow.lost(), 0);
  },
);

Deno.test("a certificate that comes with a reload is shown to those who come, and sessions stay", async () => {
  await using relay = await launch({ flags: { "server.workers": "2" } });
  await using before = await relay.client();
  const [own, next] = [parseConfig("", { flags: FLAGS }), await testCertificate()];
  const { applied } = await relay.server.reload(own, next);
  assert.deepEqual(applied, ["certificate"]);
  for (const worker of [0, 1]) {
    const url = `moqt://127.0.0.1:${relay.port + worker}/`;
    await assert.rejects(connect(url, { hash: relay.certificate.sha256, timeoutMs: 3000 }));
    await using after = await connect(url, { hash: next.sha256 });
    assert.ok(after);
  }
  before.publish("still/here");
  await until(() => relay.server.relay.origin.size === 1, "the first session to be heard");
});

/** As launch() has them. */
const FLAGS = {
  "server.address": "127.0.0.1:0",
  "admin.address": "127.0.0.1:0",
  "server.drain_timeout": "1s",
  "server.workers": "2",
};
