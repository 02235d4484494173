import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { type Logger, silent } from "../../base/logger.ts";
import { parseConfig } from "../../config/load.ts";
import { until } from "../../tests/support/server.ts";
import { checkHooks } from "./check.ts";
import { command } from "./command.ts";
import { Hook } from "./hook.ts";

const ignore = Deno.build.os === "windows";

const hooksOf = (argv: readonly string[]) =>
  parseConfig(JSON.stringify({ hooks: [{ name: "test", command: argv, timeout: "100ms" }] })).hooks;

Deno.test({
  name: "a command whose group may not be signalled is ended itself, and the log tells that once",
  ignore,
  // As `--allow-run=PROGRAM` gives it: Deno lets nobody signal a group without the whole permission.
  permissions: { run: ["/bin/sleep"], env: true, sys: true, read: true },
  async fn() {
    const warnings: string[] = [];
    const log: Logger = { ...silent, warn: (text) => void warnings.push(text), with: () => log };
    const { hook: its } = hooksOf(["/bin/sleep", "300"])[0]!;
    const hook = new Hook(its, { clock: systemClock, log: silent, deliver: command(its, log) });
    try {
      for (const broadcast of ["a", "b"]) {
        hook.tell({ id: broadcast, event: "publish", broadcast, at: "", relay: "7" });
      }
      await until(() => hook.stats.failed === 2, "the end of both commands");
      assert.match(hook.lastFailure!, /killed: it ran longer than 100 ms/);
      assert.deepEqual(warnings, [
        "what a hook's command has started may go on: its group cannot be ended",
      ]);
    } finally {
      await hook.close(0);
    }
  },
});

for (
  const [what, run, said] of [
    ["that may start nothing", false, [/^hooks\.0\.command: .*may not start .*QUMO_ALLOW=run/]],
    ["that may start it", ["/bin/sleep"], []],
  ] as const
) {
  Deno.test({
    name: `check tells of a command in a process ${what}`,
    ignore,
    permissions: { run: run === false ? false : [...run], env: true, read: true },
    async fn() {
      const problems = await checkHooks(hooksOf(["/bin/sleep", "1"]));
      assert.equal(problems.length, said.length);
      said.forEach((text, i) =>
        assert.match(`${problems[i]!.path}: ${problems[i]!.message}`, text)
      );
    },
  });
}
