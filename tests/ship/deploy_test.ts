/** The files of deploy/ and configs/ against the tools that read them. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { COMMANDS } from "../../cli/commands.ts";
import { parseConfig } from "../../config/load.ts";
import { selfSigned } from "../../config/tls/self_signed.ts";
import { start } from "../support/program.ts";
import { optional } from "../support/optional.ts";
import { makePackages } from "../../tools/ship/deb.ts";
import { MAY_RUN, PERMISSIONS } from "../../tools/ship/permissions.ts";
import manifest from "../../deno.json" with { type: "json" };

const DEPLOY = new URL("../../deploy/", import.meta.url);
const TOP = new URL("../../", import.meta.url);
const onLinux = Deno.build.os === "linux";
const systemd = { ignore: !onLinux || !optional("systemd-analyze").ok };

/** The highest accepted exposure, of 10. systemd 252 reports 1.3, 1.7 with low-ports.conf, and 1.5 for the ports unit. */
const MOST_EXPOSED = 2;

const read = (path: string, base = TOP) => Deno.readTextFile(new URL(path, base));

async function runs(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.ok(success, `${command} ${args.join(" ")}\n${text}`);
  return text;
}

/** A unit as installed, except for the program's path: it is not installed where the tests run. */
async function unitFolder(name: string, dropIns: readonly string[]) {
  const path = await Deno.makeTempDir({ prefix: "qumo-unit-" });
  const unit = await read(name, DEPLOY);
  const runnable = unit.replaceAll("/usr/bin/qumo-relay ", `${Deno.execPath()} `);
  await Deno.writeTextFile(`${path}/${name}`, runnable);
  await Deno.mkdir(`${path}/${name}.d`);
  for (const dropIn of dropIns) {
    const text = await read(`drop-ins/${dropIn}`, DEPLOY);
    await Deno.writeTextFile(`${path}/${name}.d/${dropIn}`, text);
  }
  return {
    unit: `${path}/${name}`,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

for (
  const [name, ...dropIns] of [
    ["qumo-relay.service"],
    ["qumo-relay.service", "low-ports.conf"],
    ["qumo-relay.service", "camera.conf"],
    ["qumo-relay.service", "hooks.conf"],
    ["qumo-relay-ports.service"],
  ] as const
) {
  const what = [name, ...dropIns].join(" with ");
  Deno.test(`${what}: systemd finds nothing wrong, and little exposed`, systemd, async () => {
    await using folder = await unitFolder(name, dropIns);
    assert.equal(await runs("systemd-analyze", "verify", "--man=no", folder.unit), "");
    const text = await runs("systemd-analyze", "security", "--offline=true", folder.unit);
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(text)?.[1]);
    assert.ok(exposure <= MOST_EXPOSED, `${exposure} of 10\n${text}`);
  });
}

Deno.test("the units run commands that exist", async () => {
  for (const name of ["qumo-relay.service", "qumo-relay-ports.service"]) {
    const commands = [...(await read(name, DEPLOY)).matchAll(/\/usr\/bin\/qumo-relay (\S+)/g)];
    assert.ok(commands.length > 0);
    for (const [, command] of commands) {
      assert.ok(COMMANDS.some((c) => c.name === command), `${name}: no command ${command}`);
    }
  }
});

Deno.test("the service gives a drain more time than the configuration asks for", async () => {
  const stopS = Number(/TimeoutStopSec=(\d+)s/.exec(await read("qumo-relay.service", DEPLOY))![1]);
  for (const { name } of Deno.readDirSync(new URL("configs/", TOP))) {
    const config = parse(await read(`configs/${name}`));
    assert.ok(parseInt(config.server.drain_timeout ?? "5s") < stopS, name);
  }
});

Deno.test("every file of configs/ and the package's own pass check", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const { cert, key } = await selfSigned(["localhost"]);
    await Deno.writeTextFile(`${dir}/cert`, cert);
    await Deno.writeTextFile(`${dir}/key`, key, { mode: 0o600 });
    const configs = [...Deno.readDirSync(new URL("configs/", TOP))].map((f) => `configs/${f.name}`);
    assert.ok(configs.length >= 3);
    for (const path of [...configs, "deploy/package/config.yaml"]) {
      const { server } = parse(await read(path));
      const certs = ["--server.cert_file", `${dir}/cert`, "--server.key_file", `${dir}/key`];
      await using program = start([
        ...["check", "--config", path],
        ...(server.cert_file === undefined ? [] : certs),
      ]);
      assert.equal(await program.ended(), 0, `${path}: ${program.output()}`);
      assert.match(program.output(), /^ok$/m);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("the container's images are pinned by digest", async () => {
  const from = [...(await read("Dockerfile", DEPLOY)).matchAll(/^FROM (\S+)/gm)].map(([, i]) => i!);
  const { services } = parse(await read("compose.yaml", DEPLOY));
  const pulled = Object.values<{ image?: string }>(services).flatMap(({ image }) => image ?? []);
  assert.deepEqual([from.length, pulled.length], [2, 3]);
  for (const image of [...from, ...pulled]) {
    assert.match(image, /^[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
  }
  assert.ok(from[0]!.startsWith(`denoland/deno:${Deno.version.deno}@`), from[0]);
});

Deno.test("compose lets nobody in but this machine while it asks for no token", async () => {
  const { services } = parse(await read("compose.yaml", DEPLOY));
  assert.equal(services.relay.environment.QUMO_AUTH_ANONYMOUS, "true");
  for (const { ports = [] } of Object.values<{ ports?: string[] }>(services)) {
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
  }
});

Deno.test("the image and `task dev` name what tools/ship/permissions.ts names", async () => {
  const file = await read("Dockerfile", DEPLOY);
  const commands = ["HEALTHCHECK[^]*?CMD", "ENTRYPOINT"].map((name) => {
    const [, list] = new RegExp(`^${name} (\\[[^\\]]*\\])`, "m").exec(file)!;
    return JSON.parse(list!.replaceAll("\\\n", "")) as string[];
  });
  const dev = manifest.tasks.dev.command.split("; ").at(-1)!.split(" ");
  const run = `--allow-run=${MAY_RUN.join(",")}`;
  for (const command of [...commands, dev]) {
    assert.ok(command.includes("--no-prompt"), command.join(" "));
    for (const flag of command.filter((word) => word.startsWith("--allow-"))) {
      // A named folder is less than all folders.
      const [name] = flag.split("=");
      const files = name === "--allow-read" || name === "--allow-write";
      assert.ok([...PERMISSIONS, run].includes(files ? name! : flag), flag);
    }
    assert.ok(!command.includes("-A"), command.join(" "));
  }
  assert.deepEqual(dev.filter((word) => word.startsWith("--allow-")), [...PERMISSIONS, run]);
});

Deno.test("compose starts no service that nothing uses, and its Redis is the relay's to use", async () => {
  const { services } = parse(await read("compose.yaml", DEPLOY));
  assert.deepEqual(services.redis.profiles, ["redis"]);
  const inProfile = Object.entries<{ profiles?: string[] }>(services)
    .filter(([, { profiles }]) => profiles !== undefined).map(([name]) => name);
  assert.deepEqual(inProfile, ["redis"]);
  const chosen: Record<string, string> = { QUMO_STORAGE_TYPE: "redis" };
  const filled = (chosen: Record<string, string>) =>
    Object.fromEntries(
      Object.entries<string>(services.relay.environment).map(([name, text]) => [
        name,
        text.replace(/\$\{(\w+):-([^}]*)\}/g, (_, variable, none) => chosen[variable] ?? none),
      ]),
    );
  const { storage } = parseConfig("", { env: filled(chosen) }).config;
  assert.deepEqual([storage.type, storage.redisUrl], ["redis", "redis://redis:6379"]);
  const alone = parseConfig("", { env: filled({}) }).config.storage;
  assert.deepEqual([alone.type, alone.record], ["memory", []]);
});

Deno.test("docs/deploy.md makes each key once, and checks when all is there", async () => {
  const text = await read("docs/deploy.md");
  const keys = [...text.matchAll(/--out (\S+)/g)].map(([, path]) => path);
  assert.deepEqual(keys, [...new Set(keys)]);
  assert.ok(text.indexOf("token generate") < text.indexOf("qumo-relay check"));
});

Deno.test("the package's files exist and its scripts are read by a shell", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const nfpm = parse(await read("nfpm.yaml", DEPLOY));
  const sources: string[] = nfpm.contents.map(({ src }: { src: string }) => src);
  for (const source of sources.filter((s) => !s.startsWith("${"))) {
    const path = source.replace(/\*\.\w+$/, "");
    await Deno.stat(new URL(path, TOP));
  }
  for (const { scripts } of [nfpm.overrides.deb, nfpm.overrides.rpm]) {
    for (const script of Object.values<string>(scripts)) {
      await runs("sh", "-n", new URL(script, TOP).pathname);
    }
  }
});

Deno.test("nfpm makes a Debian package with the program, its unit and its configuration", {
  ignore: !onLinux || !optional("nfpm").ok,
}, async () => {
  const target = await Deno.makeTempDir();
  try {
    const maintainer = "A Tester <tester@example.org>";
    const binary = `${target}/program`;
    await Deno.writeTextFile(binary, "#!/bin/sh\n");
    const made = await makePackages({ binary, arch: "amd64", target, maintainer });
    assert.equal(made, 0);
    const [deb] = [...Deno.readDirSync(target)].filter(({ name }) => name.endsWith(".deb"));
    const listing = await runs("dpkg-deb", "--contents", `${target}/${deb!.name}`);
    for (
      const path of [
        "./usr/bin/qumo-relay",
        "./usr/lib/systemd/system/qumo-relay.service",
        "./usr/lib/sysctl.d/60-qumo-relay.conf",
        "./etc/qumo-relay/config.yaml",
        "./usr/share/doc/qumo-relay/examples/single-vm.yaml",
      ]
    ) assert.ok(listing.includes(` ${path}\n`), `${path}\n${listing}`);
    assert.match(await runs("dpkg-deb", "--info", `${target}/${deb!.name}`), /conffiles/);
  } finally {
    await Deno.remove(target, { recursive: true });
  }
});
