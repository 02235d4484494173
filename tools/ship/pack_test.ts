import assert from "node:assert/strict";
import { packed, WINDOWS_START } from "./pack.ts";

const posix = { ignore: Deno.build.os === "windows" };
const text = new TextDecoder();

/** A packed program whose Deno is a script that tells its process, its arguments and what is set; it ends with code 7. */
async function madeUp() {
  const dir = await Deno.makeTempDir({ prefix: "qumo-pack-" });
  const deno =
    '#!/bin/sh\necho "pid $$"\nfor one; do echo "arg $one"; done\ncat "$DENO_DIR" 2>&1\nexit 7\n';
  const file = await packed({
    platform: "linux-x64-glibc",
    deno: new TextEncoder().encode(deno),
    program: new TextEncoder().encode("the program"),
    level: 1,
  });
  const path = `${dir}/qumo-relay`;
  await Deno.writeFile(path, file, { mode: 0o755 });
  await Deno.mkdir(`${dir}/cache`);
  const root = `${dir}/cache/qumo-relay-${Deno.uid()}`;
  return {
    dir,
    path,
    root,
    /** Deno and the program, once they are unpacked. */
    async unpacked(): Promise<string[]> {
      const found: string[] = [];
      for await (const { name } of Deno.readDir(root)) {
        if (!/^[0-9a-f]{64}$/.test(name)) continue;
        for await (const file of Deno.readDir(`${root}/${name}`)) {
          found.push(`${root}/${name}/${file.name}`);
        }
      }
      return found.sort((a, b) => a.length - b.length);
    },
    run(args: readonly string[] = [], env: Record<string, string> = {}) {
      const child = new Deno.Command(path, {
        args: [...args],
        env: { PATH: "/usr/bin:/bin", QUMO_CACHE_DIR: `${dir}/cache`, ...env },
        clearEnv: true,
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      return child.output().then(({ code, stdout, stderr }) => ({
        code,
        pid: child.pid,
        lines: text.decode(stdout).split("\n"),
        error: text.decode(stderr),
      }));
    },
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

Deno.test(
  "a packed program becomes Deno itself, with named permissions and its own arguments",
  posix,
  async () => {
    await using made = await madeUp();
    const { code, pid, lines, error } = await made.run(["serve", "--config", "a b.yaml"]);
    assert.equal(code, 7, error);
    assert.equal(lines[0], `pid ${pid}`, "signals reach it");
    const args = lines.filter((line) => line.startsWith("arg ")).map((line) => line.slice(4));
    const [, program] = await made.unpacked();
    assert.deepEqual(args.slice(-4), [program, "serve", "--config", "a b.yaml"]);
    assert.ok(args.includes("--allow-run=ffmpeg,ffprobe") && args.includes("--no-prompt"));
    assert.ok(!args.includes("-A"));
  },
);

Deno.test("a packed program may do more where its user says so", posix, async () => {
  await using made = await madeUp();
  const more = await made.run([], { QUMO_ALLOW: "run" });
  assert.ok(more.lines.includes("arg --allow-run") && !more.lines.includes("arg -A"), more.error);
  const wrong = await made.run([], { QUMO_ALLOW: "ran" });
  assert.equal(wrong.code, 1);
  assert.match(wrong.error, /QUMO_ALLOW is "ran"/);
  const all = await made.run([], { QUMO_ALLOW: "all" });
  assert.ok(all.lines.includes("arg -A") && !all.lines.join().includes("--allow-"), all.error);
  const [deno] = await made.unpacked();
  assert.ok((await made.run(["bench"])).lines.includes(`arg --allow-run=ffmpeg,ffprobe,${deno}`));
});

Deno.test(
  "packed programs that start at once unpack the same, and leave nothing else",
  posix,
  async () => {
    await using made = await madeUp();
    const ended = await Promise.all(Array.from({ length: 6 }, () => made.run()));
    assert.deepEqual(ended.map(({ code }) => code), [7, 7, 7, 7, 7, 7], ended[0]!.error);
    assert.equal((await made.unpacked()).length, 2);
    assert.equal([...Deno.readDirSync(made.root)].length, 2);
    for (const file of await made.unpacked()) {
      assert.equal(
        (await Deno.stat(file)).mode! & 0o077,
        0,
      );
    }
  },
);

Deno.test(
  "a packed program that is damaged is not run, nor what is left of an unpacked one",
  posix,
  async () => {
    await using made = await madeUp();
    assert.equal((await made.run()).code, 7);
    const [deno, program] = await made.unpacked();
    await Deno.writeTextFile(deno!, "");
    assert.equal((await made.run()).code, 7, "what was cut off is unpacked anew");
    await Deno.remove(program!);
    const bytes = await Deno.readFile(made.path);
    bytes[bytes.length - 5]! ^= 1; // the end is the program's checksum in gzip
    await Deno.writeFile(made.path, bytes);
    const damaged = await made.run();
    assert.equal(damaged.code, 1);
    assert.match(damaged.error, /Cannot (unpack|use what was unpacked)/);
    assert.deepEqual(await made.unpacked(), [deno]);
  },
);

Deno.test(
  "a packed program trusts no folder that another user has made or may change",
  posix,
  async () => {
    await using made = await madeUp();
    const refused = async (why: RegExp) => {
      const { code, lines, error } = await made.run();
      assert.equal(code, 1, error);
      assert.match(error, why);
      assert.deepEqual(lines, [""]);
    };
    await Deno.mkdir(made.root);
    await Deno.chmod(made.root, 0o777);
    await refused(/Cannot trust .*qumo-relay-\d+: /);
    await Deno.remove(made.root);
    await Deno.mkdir(`${made.dir}/elsewhere`, { mode: 0o700 });
    await Deno.symlink(`${made.dir}/elsewhere`, made.root);
    await refused(/Cannot trust /);
    await Deno.remove(made.root);
    await Deno.chmod(`${made.dir}/cache`, 0o777);
    await refused(/everybody may write there/);
    await Deno.chmod(`${made.dir}/cache`, 0o1777); // as /tmp has it
    assert.equal((await made.run()).code, 7);
    const [deno] = await made.unpacked();
    await Deno.chmod(deno!, 0o777);
    await refused(/Cannot trust .*\/deno: /);
    if (Deno.uid() !== 0) return;
    await Deno.chmod(deno!, 0o700);
    await Deno.chown(made.root, 65534, 65534);
    await refused(/Cannot trust /);
  },
);

Deno.test(
  "a packed program is not unpacked into another user's folder: its owner could put another one there",
  { ignore: Deno.build.os === "windows" || Deno.uid() !== 0 },
  async () => {
    await using made = await madeUp();
    await Deno.chown(`${made.dir}/cache`, 65534, 65534);
    const refused = await made.run();
    assert.equal(refused.code, 1);
    assert.match(refused.error, /no folder of yours can be written to; set QUMO_CACHE_DIR/);
    // As `sudo` may keep the home of the user: the next folder is taken.
    const home = await made.run([], {
      ...{ QUMO_CACHE_DIR: "", HOME: "", XDG_CACHE_HOME: `${made.dir}/cache` },
      TMPDIR: `${made.dir}/own`,
    });
    assert.equal(home.code, 7);
    assert.ok((await Deno.stat(`${made.dir}/own/qumo-relay-0`)).isDirectory);
  },
);

Deno.test("the start on Windows runs what lies beside it, with the same permissions", () => {
  assert.match(WINDOWS_START, /"%~dp0deno\.exe" run .*--no-prompt .*"%~dp0qumo-relay\.js" %\*\r\n/);
  assert.match(WINDOWS_START, /set "RUN=ffmpeg,ffprobe"\r\n[^]*--allow-net .*"--allow-run=%RUN%"/);
});
