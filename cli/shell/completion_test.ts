import assert from "node:assert/strict";
import { parseFlags } from "./args.ts";
import { COMMANDS } from "../commands.ts";
import { bashScript, fishScript, zshScript } from "./completion_scripts.ts";

const COMPLETED = await Promise.all(COMMANDS.map(async ({ name, summary, load }) => {
  const { flags = {}, words = [] } = await load();
  return { name, summary, flags, words };
}));

const decoded = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function installed(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch { // It is not on PATH.
    return false;
  }
}

/** What bash offers for a command line whose last word is being typed. */
async function offered(words: readonly string[], cwd?: string): Promise<string[]> {
  const line = words.map((word) => `'${word}'`).join(" ");
  const script = `${bashScript(COMPLETED)}
COMP_WORDS=(${line}); COMP_CWORD=${
    words.length - 1
  }; _qumo_relay; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["--norc", "-c", script],
    ...(cwd === undefined ? {} : { cwd }),
  }).output();
  assert.equal(code, 0, decoded(stderr));
  assert.equal(decoded(stderr), "");
  return decoded(stdout).split("\n").filter((text) => text !== "").toSorted();
}

const ignore = !installed("bash");

Deno.test({
  name: "bash completes commands, their words, flags and the values of flags",
  ignore,
  async fn() {
    const cases: [string[], string[]][] = [
      [["qumo-relay", "su"], ["sub"]],
      [["qumo-relay", "c"], ["cert", "check", "completion", "config"]],
      [["qumo-relay", "--server.addr"], ["--server.address"]],
      [["qumo-relay", "interop", "c"], ["client"]],
      [["qumo-relay", "completion", "f"], ["fish"]],
      [["qumo-relay", "config", "s"], ["show"]],
      [["qumo-relay", "sub", "URL", "--tr"], ["--track"]],
      [["qumo-relay", "sub", "URL", "--version", "moq-lite-05"], ["moq-lite-05"]],
      [["qumo-relay", "sub", "URL", "--track", ""], []],
      [["qumo-relay", "help", "top"], ["top"]],
    ];
    for (const [words, expected] of cases) {
      assert.deepEqual(await offered(words), expected, words.join(" "));
    }
    const commands = await offered(["qumo-relay", ""]);
    assert.deepEqual(commands, COMMANDS.map(({ name }) => name).toSorted());
  },
});

Deno.test({
  name: "bash completes files and directories where a flag or an operand takes one",
  ignore,
  async fn() {
    const dir = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${dir}/media.mp4`, "");
      await Deno.mkdir(`${dir}/media.d`);
      assert.deepEqual(await offered(["qumo-relay", "--config", "med"], dir), [
        "media.d",
        "media.mp4",
      ]);
      assert.deepEqual(await offered(["qumo-relay", "cert", "--out", "med"], dir), ["media.d"]);
      assert.deepEqual(await offered(["qumo-relay", "pub", "URL", "media.m"], dir), ["media.mp4"]);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test("every script names every command and every flag", () => {
  for (const script of [bashScript, zshScript, fishScript]) {
    const text = script(COMPLETED);
    for (const { name, flags } of COMPLETED) {
      assert.ok(text.includes(name), `${script.name}: ${name}`);
      for (const flag of Object.keys(flags)) {
        const written = script === fishScript ? ` -l ${flag}` : `--${flag}`;
        assert.ok(text.includes(written), `${script.name}: ${name} ${flag}`);
      }
    }
  }
});

for (const [shell, script] of [["zsh", zshScript], ["fish", fishScript]] as const) {
  Deno.test({
    name: `${shell} reads its script`,
    ignore: !installed(shell),
    async fn() {
      const path = await Deno.makeTempFile();
      try {
        await Deno.writeTextFile(path, script(COMPLETED));
        const args = ["-n", path];
        const { code, stderr } = await new Deno.Command(shell, { args }).output();
        assert.equal(code, 0, decoded(stderr));
      } finally {
        await Deno.remove(path);
      }
    },
  });
}

Deno.test("every command's help has examples, and each of them is a command line that is understood", async () => {
  for (const command of COMMANDS) {
    const { usage, flags = {}, words } = await command.load();
    assert.ok(usage.startsWith("Usage: qumo-relay "), command.name);
    const [, examples] = usage.split("\nExamples:\n");
    assert.ok(examples !== undefined, `${command.name}: no "Examples:"`);
    const lines = [...examples.split("\n\n\n")[0]!.matchAll(/(?:^ {2}|\| )qumo-relay ?(.*)$/gm)];
    assert.ok(lines.length > 0, command.name);
    for (const [, line] of lines) {
      const bare = line!.replace(/ {2,}\(.*\)$/, "").replace(/ (&|[<>].*)$/, "");
      const [first, ...rest] = bare.split(" ").filter((word) => word !== "");
      const args = first === command.name ? rest : [first!, ...rest].filter(Boolean);
      const { operands } = parseFlags(args, flags, { operands: ["A", "B"] });
      if (words !== undefined && operands.length > 0) {
        assert.ok(words.includes(operands[0]!), `${command.name}: ${line}`);
      }
    }
  }
});
