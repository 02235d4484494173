import { inDirectory } from "../tests/support/borrowed.ts";
import assert from "node:assert/strict";
import { VERSION } from "../base/version.ts";
import { SECTIONS, SETTINGS } from "../config/settings.ts";
import { selfSigned } from "../config/tls/self_signed.ts";

const MAIN = new URL("../main.ts", import.meta.url).href;

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program in a directory of its own, with only the environment that is given. */
async function qumo(
  dir: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Result> {
  const own = Object.keys(Deno.env.toObject()).filter((name) => /^(QUMO|RELAIS)_/.test(name));
  const cleared = Object.fromEntries(own.map((name) => [name, ""]));
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, ...args],
    cwd: dir,
    env: { ...cleared, ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}

Deno.test("version prints the version, in every way it is asked for", () =>
  inDirectory(async (dir) => {
    for (const args of [["version"], ["--version"], ["-v"]]) {
      const { code, stdout } = await qumo(dir, args);
      assert.equal(code, 0);
      assert.ok(stdout.startsWith(`qumo-relay ${VERSION} (deno `), stdout);
    }
  }));

Deno.test("help lists the commands and explains each of them", () =>
  inDirectory(async (dir) => {
    const { code, stdout } = await qumo(dir, ["--help"]);
    assert.equal(code, 0);
    const names = [...stdout.matchAll(/^ {2}([a-z]+) {2}/gm)].map((match) => match[1]!);
    for (const name of ["serve", "check", "config", "cert", "version", "help"]) {
      assert.ok(names.includes(name), name);
      const help = await qumo(dir, ["help", name]);
      assert.equal(help.code, 0, name);
      assert.ok(help.stdout.startsWith("Usage: qumo-relay "), name);
    }
    assert.equal(
      (await qumo(dir, ["serve", "--help"])).stdout,
      (await qumo(dir, ["help", "serve"])).stdout,
    );
  }));

Deno.test("help of a command fits a screen, with --all it has every setting under its section", () =>
  inDirectory(async (dir) => {
    for (const name of ["serve", "check", "config", "ports", "health"]) {
      const { stdout } = await qumo(dir, ["help", name]);
      assert.ok(stdout.split("\n").length <= 60, `${name}: ${stdout.split("\n").length} lines`);
      assert.match(stdout, /--server\.address/);
      assert.ok(stdout.includes(`qumo-relay help ${name} --all`), name);
    }
    const { stdout } = await qumo(dir, ["help", "serve", "--all"]);
    for (const { path } of SETTINGS) assert.ok(stdout.includes(`--${path} `), path);
    for (const { name } of SECTIONS) assert.ok(stdout.includes(`\n${name}: `), name);
    assert.equal((await qumo(dir, ["serve", "--help", "--all"])).stdout, stdout);
  }));

Deno.test("an unknown command or flag ends with code 2 and a suggestion", () =>
  inDirectory(async (dir) => {
    const cases: [string[], RegExp][] = [
      [["chek"], /Unknown command "chek"; did you mean check\?/],
      [["help", "serv"], /did you mean serve\?/],
      [["check", "--server.adress=:1"], /did you mean --server\.address\?/],
      [["--confg", "x"], /did you mean --config\?/],
      [["config"], /config example/],
      [["check", "stray"], /Unexpected argument "stray"/],
    ];
    for (const [args, expected] of cases) {
      const { code, stderr, stdout } = await qumo(dir, args);
      assert.equal(code, 2, args.join(" "));
      assert.match(stderr, expected);
      assert.equal(stdout, "");
    }
  }));

Deno.test("check says ok with no file, with a good file, and to every spelling of --config", () =>
  inDirectory(async (dir) => {
    await Deno.writeTextFile(`${dir}/relay.yaml`, "auth:\n  public_subscribe: [live]\n");
    const ways = [["--config", "relay.yaml"], ["-config", "relay.yaml"], ["-c", "relay.yaml"]];
    for (const way of [...ways, ["--config=relay.yaml"]]) {
      assert.deepEqual(await qumo(dir, ["check", ...way]), { code: 0, stdout: "ok\n", stderr: "" });
    }
    const open = await qumo(dir, ["check"]);
    assert.equal(open.stdout, "ok\n");
    assert.match(open.stderr, /^Warning: OPEN TO EVERYBODY: /);
  }));

Deno.test("check prints every problem with its place and ends with code 2", () =>
  inDirectory(async (dir) => {
    await Deno.mkdir(`${dir}/configs`);
    await Deno.writeTextFile(
      `${dir}/configs/config.yaml`,
      "server:\n  adress: x\nrelay:\n  group_cache_size: 0\n",
    );
    const { code, stderr } = await qumo(dir, ["check"], { QUMO_LOGGING_LEVEL: "loud" });
    assert.equal(code, 2);
    assert.deepEqual(stderr.trimEnd().split("\n"), [
      "Cannot use the configuration: 3 problems",
      '  configs/config.yaml:2:3  server.adress: unknown key; did you mean "address"?',
      "  configs/config.yaml:4:21  relay.group_cache_size: expected a whole number from 1 to 10000, got 0",
      '  QUMO_LOGGING_LEVEL  logging.level: expected one of debug, info, warn, error, got "loud"',
    ]);
  }));

Deno.test("check and serve say what is wrong with the core and with plugins together", () =>
  inDirectory(async (dir) => {
    await Deno.writeTextFile(
      `${dir}/relay.yaml`,
      [
        "server: { idle_timeout: 10, keep_alive: 1h }",
        "relay: { upstream_backoff_min: 20s }",
        "plugins:",
        ...["a", "b", "c", "d", "e", "f"].flatMap((name) => [
          `  - { name: ${name}, plugin: srt, options: { broadcast: x, latency: ${name} } }`,
        ]),
        "  - { name: g, plugin: rtmp, kind: ingress, options: { broadcast: x, listen: ':1935' } }",
        "",
      ].join("\n"),
    );
    const check = await qumo(dir, ["check", "-c", "relay.yaml"]);
    assert.equal(check.code, 2);
    const lines = check.stderr.trimEnd().split("\n");
    assert.equal(lines[0], "Cannot use relay.yaml: 9 problems");
    assert.match(lines[1]!, /relay\.yaml:1:25 {2}server\.idle_timeout: expected a duration/);
    assert.match(lines[2]!, /relay\.upstream_backoff_min must not exceed/);
    for (const i of [0, 1, 2, 3, 4, 5]) {
      assert.match(lines[3 + i]!, new RegExp(`plugins\\.${i}\\.options\\.latency: expected`));
    }
    assert.match(lines[9]!, /plugins\.6\.options\.listen: \[::\]:1935 can be reached by others/);
    assert.deepEqual(await qumo(dir, ["-c", "relay.yaml"]), check);
  }));

Deno.test("check says what is wrong with certificates, the admin interface and plugins together", () =>
  inDirectory(async (dir) => {
    await Deno.writeTextFile(
      `${dir}/relay.yaml`,
      "server: { cert_file: no.crt, key_file: no.key }\nadmin: { address: ':9090' }\n" +
        "plugins: [{ name: a, plugin: nothing }]\n",
    );
    const { code, stderr } = await qumo(dir, ["check", "-c", "relay.yaml"]);
    assert.equal(code, 2);
    const places = [...stderr.matchAll(/^ {2}relay\.yaml:\d+:\d+ {2}(\S+):/gm)].map((m) => m[1]);
    const expected = ["server.cert_file", "server.key_file", "admin.address", "plugins.0.plugin"];
    assert.deepEqual(places, expected, stderr);
  }));

Deno.test("check names the place of certificate files that cannot be used", () =>
  inDirectory(async (dir) => {
    const [a, b] = [await selfSigned(["localhost"]), await selfSigned(["localhost"])];
    await Deno.writeTextFile(`${dir}/a.crt`, a.cert);
    await Deno.writeTextFile(`${dir}/b.key`, b.key);
    const file = `${dir}/relay.yaml`;
    await Deno.writeTextFile(file, "server:\n  cert_file: a.crt\n  key_file: b.key\n");
    const mismatch = await qumo(dir, ["check", "-c", "relay.yaml"]);
    assert.equal(mismatch.code, 2);
    assert.match(
      mismatch.stderr,
      /relay\.yaml:3:13 {2}server\.key_file: the key in b\.key does not match/,
    );

    await Deno.writeTextFile(file, "server:\n  cert_file: no.crt\n  key_file: no.key\n");
    const missing = await qumo(dir, ["check", "-c", "relay.yaml"]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /relay\.yaml:2:14 {2}server\.cert_file: no\.crt: no such file/);
    assert.match(missing.stderr, /relay\.yaml:3:13 {2}server\.key_file: no\.key: no such file/);
  }));

Deno.test("serve ends with code 1 and says why when TLS cannot be set up", () =>
  inDirectory(async (dir) => {
    const { code, stderr } = await qumo(dir, [
      "--server.cert_file=no.crt",
      "--server.key_file=no.key",
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /^Failed to setup TLS: no\.crt \(server\.cert_file\): no such file; /);
    assert.doesNotMatch(stderr, /started/);
  }));

Deno.test("serve ends with code 2 when the named file is absent", () =>
  inDirectory(async (dir) => {
    const { code, stderr } = await qumo(dir, ["-config", "no.yaml"]);
    assert.equal(code, 2);
    assert.match(stderr, /^Cannot use no\.yaml: no such file; /);
  }));

Deno.test("config show prints each value with its origin, flag over variable over file", () =>
  inDirectory(async (dir) => {
    await Deno.writeTextFile(
      `${dir}/relay.yaml`,
      "relay:\n  linger: 1s\n  max_age: 6s\n  group_cache_size: 3\n" +
        '  upstream_url: "https://relay.example/?jwt=s3cret"\n',
    );
    const env = { QUMO_RELAY_MAX_AGE: "7s", QUMO_RELAY_GROUP_CACHE_SIZE: "5" };
    const args = ["--config", "relay.yaml", "--relay.group-cache-size", "6"];
    const { code, stdout } = await qumo(dir, ["config", "show", "--json", ...args], env);
    assert.equal(code, 0);
    const shown = JSON.parse(stdout);
    assert.deepEqual(shown["relay.linger"], { value: "1s", origin: "relay.yaml:2:11" });
    assert.deepEqual(shown["relay.max_age"], { value: "7s", origin: "QUMO_RELAY_MAX_AGE" });
    assert.deepEqual(shown["relay.group_cache_size"], {
      value: 6,
      origin: "--relay.group_cache_size",
    });
    assert.deepEqual(shown["logging.level"], { value: "info", origin: "default" });
    assert.equal(shown["relay.upstream_url"].value, "https://relay.example/?jwt=***");

    const text = (await qumo(dir, ["config", "show", ...args], env)).stdout;
    assert.match(text, /^relay\.linger = "1s" +# relay\.yaml:2:11$/m);
    assert.doesNotMatch(text, /s3cret/);
  }));

Deno.test("config example prints a file that check accepts", () =>
  inDirectory(async (dir) => {
    const { stdout } = await qumo(dir, ["config", "example"]);
    await Deno.writeTextFile(`${dir}/relay.yaml`, stdout);
    assert.equal((await qumo(dir, ["check", "-c", "relay.yaml"])).stdout, "ok\n");
  }));

Deno.test("a misspelt variable is warned about and stops nothing", () =>
  inDirectory(async (dir) => {
    const { code, stderr } = await qumo(dir, ["check"], { QUMO_SERVER_ADRESS: ":1" });
    assert.equal(code, 0);
    assert.match(stderr, /^Warning: QUMO_SERVER_ADRESS .*did you mean QUMO_SERVER_ADDRESS\?/);
  }));

Deno.test("cert makes a pair that check accepts, and replaces nothing unasked", () =>
  inDirectory(async (dir) => {
    const made = await qumo(dir, ["cert", "--out", "tls", "--hosts", "relay.example,::1"]);
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /^sha256 [0-9a-f]{64}\nhosts {2}relay\.example, ::1\n/);
    const yaml = made.stdout.slice(made.stdout.indexOf("server:"));
    await Deno.writeTextFile(`${dir}/relay.yaml`, yaml);
    assert.equal((await qumo(dir, ["check", "-c", "relay.yaml"])).stdout, "ok\n");

    const again = await qumo(dir, ["cert", "--out", "tls"]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /it is there already; .* --force/);
    assert.equal((await qumo(dir, ["cert", "--out", "tls", "--force", "--days", "30"])).code, 0);
    const { code, stderr } = await qumo(dir, ["cert", "--out", "other", "--days", "0"]);
    assert.equal(code, 2);
    assert.match(stderr, /--days takes a whole number from 1 to 36500/);
  }));
