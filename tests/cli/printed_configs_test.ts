/** Every configuration and command line that the documents print starts, to the letter, on the address it names. */
import { killed } from "../support/borrowed.ts";
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { parseConfig } from "../../config/load.ts";
import { selfSigned } from "../../config/tls/self_signed.ts";
import {
  type LoneNamespace,
  loneNamespace,
  mayMakeNamespaces,
} from "../support/peers/namespaces.ts";
import { type PrintedConfig, printedConfigs } from "../support/printed_configs.ts";
import { start } from "../support/program.ts";
import { redisServer } from "../support/peers/redis.ts";
import { need } from "../support/require.ts";

const EXAMPLE = await Deno.readTextFile(
  new URL("../../configs/config.example.yaml", import.meta.url),
);
const PRINTED = printedConfigs(EXAMPLE);
const OPEN = /OPEN TO EVERYBODY: .* auth: \{ required: true \}/;
/** Whether the printed ports are free. If not, flags move the listeners to others, and everything else stays. */
const namespaced = Deno.build.os === "linux" && need("ip").ok && mayMakeNamespaces();

/** A folder with the files, and the certificate beside them. */
async function folderOf(printed: PrintedConfig) {
  const root = await Deno.makeTempDir({ prefix: "qumo-printed-" });
  const cwd = `${root}/${printed.cwd ?? ""}`;
  const put = async (path: string, text: string) => {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, text);
  };
  await Deno.mkdir(cwd, { recursive: true });
  for (const [path, text] of Object.entries(printed.files)) await put(`${root}/${path}`, text);
  if (printed.certificate !== undefined) {
    const { cert, key } = await selfSigned(["localhost", "127.0.0.1", "::1"]);
    await put(`${cwd}/${printed.certificate.cert}`, cert);
    await put(`${cwd}/${printed.certificate.key}`, key);
  }
  return { cwd, [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
}

function optionsOf(printed: PrintedConfig, cwd: string, net: LoneNamespace | undefined) {
  const own = Object.keys(Deno.env.toObject()).filter((name) => /^(QUMO|RELAIS)_/.test(name));
  const env = { ...Object.fromEntries(own.map((name) => [name, ""])), ...printed.env };
  return { cwd, env, ...(net === undefined ? {} : { namespace: net.name }) };
}

for (const printed of PRINTED) {
  Deno.test(`it starts, and check says ok: ${printed.what}`, async () => {
    await using net = namespaced ? await loneNamespace() : undefined;
    await using folder = await folderOf(printed);
    const options = optionsOf(printed, folder.cwd, net);
    const host = printed.address.replace(/:\d+$/, "");
    const moved = namespaced
      ? []
      : ["--server.address", `${host}:0`, "--admin.address", "127.0.0.1:0"];
    const address = namespaced ? `${printed.address}/udp` : `${host}:`;

    await using check = start(["check", ...printed.args], options);
    await using serve = start([...printed.args, ...moved], options);
    const line = await serve.saw(/"message":"started".*\n/);
    assert.ok(line.includes(`QUIC, WebTransport ${address}`), line);
    await serve.saw(OPEN);
    assert.equal(await check.ended(), 0, check.output());
    assert.match(check.output(), /^ok$/m);
    assert.match(check.output(), /^Warning: OPEN TO EVERYBODY: /m);
    if (printed.env?.["RELAIS_STORAGE_TYPE"] === "redis") await meetsRedis(serve, net);
    serve.process.kill("SIGTERM");
    assert.equal(await serve.ended(), 0, serve.output());
  });
}

/** It connects to Redis at the printed address, and succeeds once Redis is there. */
async function meetsRedis(serve: ReturnType<typeof start>, net: LoneNamespace | undefined) {
  await serve.saw(/"message":"storage cannot be reached.*localhost:6379/);
  if (net === undefined || !redisServer.ok) return;
  const redis = new Deno.Command("ip", {
    args: ["netns", "exec", net.name, redisServer.path!, "--port", "6379", "--save", ""],
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await serve.saw(/"message":"storage is back"/);
  } finally {
    await killed(redis);
  }
}

Deno.test("every value that the documents print is the value in effect", () => {
  const read = (index: number) => {
    const { files, env = {} } = PRINTED[index]!;
    return parseConfig(Object.values(files)[0] ?? "", { env }).config;
  };
  for (const index of [0, 2, 3]) {
    const { server, relay } = read(index);
    assert.deepEqual(server.address, { hostname: "0.0.0.0", port: 4433 });
    assert.equal(server.certFile, "certs/server.crt");
    assert.equal(server.keyFile, "certs/server.key");
    assert.deepEqual(relay.upstreamUrl, []);
    assert.equal(relay.groupCacheSize, 100);
    assert.equal(relay.frameCapacity, 1500);
  }
  assert.equal(read(4).logging.level, "debug");
  const { server, storage, logging } = read(6);
  assert.deepEqual(server.address, { hostname: "0.0.0.0", port: 8080 });
  assert.deepEqual([storage.type, storage.redisUrl], ["redis", "redis://localhost:6379"]);
  assert.equal(logging.level, "info");
});

Deno.test({
  name: "one line closes what is open: clients without a token are refused, and no warning is left",
  ignore: !namespaced,
  async fn() {
    await using net = await loneNamespace();
    const [printed] = PRINTED;
    await using folder = await folderOf(printed!);
    const options = optionsOf(printed!, folder.cwd, net);
    const ask = async (url: string) => {
      const code = `const r = await fetch("${url}"); console.log(r.status, await r.text())`;
      const args = ["netns", "exec", net.name, Deno.execPath(), "eval", code];
      const { stdout } = await new Deno.Command("ip", { args }).output();
      return new TextDecoder().decode(stdout).trim();
    };
    {
      await using open = start(printed!.args, options);
      await open.saw(OPEN);
      const [announced, ready] = await Promise.all([
        ask("http://127.0.0.1:4433/announced/"),
        ask("http://127.0.0.1:9090/ready"),
      ]);
      assert.match(announced, /^200/);
      assert.equal(ready, '200 {"ready":true,"warnings":["open_to_everybody"]}');
    }
    await Deno.writeTextFile(`${folder.cwd}/config.yaml`, "auth: { required: true }\n", {
      append: true,
    });
    await using closed = start(printed!.args, options);
    await closed.saw(/"message":"nobody can come in: auth.required is set/);
    const [announced, ready] = await Promise.all([
      ask("http://127.0.0.1:4433/announced/"),
      ask("http://127.0.0.1:9090/ready"),
    ]);
    assert.match(announced, /^401/);
    assert.equal(ready, '200 {"ready":true}');
    assert.doesNotMatch(closed.output(), OPEN);
  },
});

Deno.test("an admin interface that others reach without a token is refused by serve and check in the same words", async () => {
  const dir = await Deno.makeTempDir();
  const args = ["--admin.address", "0.0.0.0:0", "--server.address", "127.0.0.1:0"];
  await using check = start(["check", ...args], { cwd: dir });
  await using serve = start(args, { cwd: dir });
  assert.deepEqual([await check.ended(), await serve.ended()], [2, 2]);
  const problem = /^.*admin\.address: 0\.0\.0\.0:0 can be reached by others.*$/m;
  assert.equal(problem.exec(check.output())?.[0], problem.exec(serve.output())?.[0]);
  assert.match(check.output(), problem);
  await using allowed = start(["check", ...args, "--admin.anonymous", "true"], { cwd: dir });
  assert.equal(await allowed.ended(), 0);
  await Deno.remove(dir, { recursive: true });
});
