/** The workflows of .github, checked against this project, and with actionlint if it is installed. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import manifest from "../../deno.json" with { type: "json" };
import { optional } from "../support/optional.ts";

const FOLDER = new URL("../../.github/workflows/", import.meta.url);

const workflows = await Promise.all(
  [...Deno.readDirSync(FOLDER)].map(async ({ name }) => {
    const text = await Deno.readTextFile(new URL(name, FOLDER));
    return { name, text, jobs: Object.values<Job>(parse(text).jobs) };
  }),
);

interface Job {
  readonly "timeout-minutes"?: number;
  readonly steps: readonly { readonly run?: string; readonly uses?: string }[];
}

Deno.test("workflows name tasks that exist, and one version of Deno", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const [, version] = /deno@(\d+\.\d+\.\d+)/.exec(readme)!;
  for (const { name, text, jobs } of workflows) {
    for (const [, found] of text.matchAll(/deno@(\S+)/g)) assert.equal(found, version, name);
    const lines = jobs.flatMap((job) => job.steps).map(({ run }) => run ?? "").join("\n");
    const tasks = [...lines.matchAll(/deno@\S+ task ([\w:]+)/g)].map(([, task]) => task!);
    for (const task of tasks) assert.ok(task in manifest.tasks, `${name}: no task ${task}`);
  }
});

Deno.test("CI does all that `deno task ok` does, the tests by its own script", () => {
  const { text } = workflows.find(({ name }) => name === "ci.yml")!;
  const parts = manifest.tasks.ok.command.split(" && ").map((part) => part.replace(/^deno /, ""));
  assert.equal(parts.pop(), "task test");
  assert.ok(parts.length > 6);
  for (const part of parts) assert.match(text, RegExp(`deno@\\S+ ${RegExp.escape(part)}$`, "m"));
  assert.match(text, /run: \.ci\/run$/m);
});

Deno.test("the workflows use actions of one commit each, whose version stands beside it", () => {
  const pinned = new Map<string, string>();
  for (const { name, text, jobs } of workflows) {
    const uses = jobs.flatMap((job) => job.steps).flatMap(({ uses }) => uses ?? []);
    const lines = [...text.matchAll(/uses: *(\S+)(.*)/g)];
    assert.equal(lines.length, uses.length, name);
    for (const [, action, version] of lines) {
      assert.match(action!, /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/, name);
      assert.match(version!, /^ # v\d+\.\d+\.\d+$/, name);
      const [which] = action!.split("@");
      assert.equal(pinned.get(which!) ?? action, action, "two commits of one action");
      pinned.set(which!, action!);
    }
  }
  assert.ok(pinned.size > 0);
});

Deno.test("every job of the workflows ends by itself", () => {
  for (const { name, jobs } of workflows) {
    for (const job of jobs) assert.ok((job["timeout-minutes"] ?? Infinity) <= 60, name);
  }
});

Deno.test("the release has Linux, macOS and Windows, and checksums of all", () => {
  const { text } = workflows.find(({ name }) => name === "release.yml")!;
  for (
    const target of [
      "x86_64-unknown-linux-gnu",
      "aarch64-unknown-linux-gnu",
      "x86_64-apple-darwin",
      "aarch64-apple-darwin",
      "x86_64-pc-windows-msvc",
    ]
  ) assert.ok(text.includes(`target: ${target}`), target);
  assert.match(text, /sha256sum -- \* > SHA256SUMS/);
});

Deno.test("the release ships no executable that has not passed the smoke test", () => {
  const { jobs } = workflows.find(({ name }) => name === "release.yml")!;
  const steps = jobs[0]!.steps.map(({ run }) => run ?? "");
  const made = steps.findIndex((run) => /task (compile|pack)/.test(run));
  const shipped = steps.findIndex((run) => run.includes("task deb"));
  assert.ok(made !== -1 && made < shipped);
  const tasks = [...steps[made]!.matchAll(/task (compile|pack|smoke)/g)].map(([, task]) => task);
  assert.deepEqual(tasks, ["compile", "smoke", "pack", "smoke"]);
  assert.ok(steps.slice(made + 1).every((run) => !/task (compile|pack)/.test(run)));
});

Deno.test("actionlint finds nothing", { ignore: !optional("actionlint").ok }, async () => {
  const files = workflows.map(({ name }) => new URL(name, FOLDER).pathname);
  const { success, stdout } = await new Deno.Command("actionlint", { args: files }).output();
  assert.ok(success, new TextDecoder().decode(stdout));
});
