/**
 * `qumo-relay ports`: its rule in the kernel spreads connections to the one public port over the workers. It runs in
 * namespaces of its own and changes nothing on this machine.
 */
import { killed } from "../support/borrowed.ts";
import assert from "node:assert/strict";
import { fromFileUrl } from "../../tools/file_url.ts";
import { mayMakeNamespaces, namespaces } from "../support/peers/namespaces.ts";
import { need } from "../support/require.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));
const CLIENTS = fromFileUrl(new URL("../support/peers/ports_clients.ts", import.meta.url));
const PROGRAMS = Deno.build.os === "linux" && need("ip").ok && need("nft").ok;

/** Runs something in a namespace. */
async function inside(name: string, command: string[]): Promise<string> {
  const args = ["netns", "exec", name, ...command];
  const { success, stdout, stderr } = await new Deno.Command("ip", { args }).output();
  const text = new TextDecoder().decode(stdout);
  assert.ok(success, `${command.join(" ")}\n${text}${new TextDecoder().decode(stderr)}`);
  return text;
}

const qumo = (...args: string[]) => [Deno.execPath(), "run", "-A", MAIN, ...args];

Deno.test({
  name:
    "with the rule of `ports` clients of one port land on every worker, and watch one broadcast",
  ignore: !PROGRAMS || !mayMakeNamespaces(),
  async fn() {
    await using net = await namespaces();
    const dir = await Deno.makeTempDir({ prefix: "qumo-ports-" });
    const flags = ["--server.workers", "2", "--server.address", "[::]:4433"];
    const relay = new Deno.Command("ip", {
      args: [
        ...["netns", "exec", net.server],
        ...qumo(
          "serve",
          ...flags,
          "--admin.address",
          "10.77.0.1:9090",
          "--admin.anonymous",
          "true",
          "--server.cert_dir",
          dir,
        ),
        ...["--server.cert_hosts", "10.77.0.1,fd77::1", "--logging.format", "json"],
        ...["--server.drain_timeout", "1s", "--auth.anonymous", "true"],
      ],
      stdout: "null",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    const lines = relay.stderr.pipeThrough(new TextDecoderStream()).getReader();
    try {
      let log = "";
      while (!/"message":"started".*\n/.test(log)) {
        const { value, done } = await lines.read();
        assert.ok(!done, log);
        log += value;
      }
      const hash = /"certificateSha256":"([0-9a-f]{64})"/.exec(log)![1]!;
      await inside(net.server, qumo("ports", ...flags, "--apply"));
      await inside(net.server, qumo("ports", ...flags, "--apply")); // in place of the first
      const ruleset = await inside(net.server, ["nft", "list", "ruleset"]);
      assert.equal(ruleset.match(/redirect to/g)?.length, 2, ruleset);
      const urls = ["moqt://10.77.0.1:4433/", "moqt://[fd77::1]:4433/"];
      const run = [Deno.execPath(), "run", "-A", CLIENTS, hash, "24", "http://10.77.0.1:9090"];
      const { got, sessions } = JSON.parse(await inside(net.client, [...run, ...urls]));
      assert.deepEqual(got, Array(24).fill("tick"));
      const ofWorker = [0, 1].map((worker) =>
        sessions.filter((id: number) => (id - 1) % 2 === worker).length
      );
      assert.equal(ofWorker[0]! + ofWorker[1]!, 25);
      assert.ok(ofWorker.every((count) => count >= 3), `sessions by worker: ${ofWorker}`);
      await inside(net.server, qumo("ports", ...flags, "--remove"));
      await inside(net.server, qumo("ports", ...flags, "--remove")); // harmless
      assert.equal(await inside(net.server, ["nft", "list", "ruleset"]), "");
    } finally {
      await killed(relay);
      await lines.cancel();
      await Deno.remove(dir, { recursive: true });
    }
  },
});
