import { type Program, start } from "../../tests/support/program.ts";
import assert from "node:assert/strict";

async function withChild(ending: string, test: (child: Program) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const script = new URL("../../tests/support/programs/serve_child.ts", import.meta.url).href;
  {
    await using child = start([dir, ending], { script, cwd: dir });
    await test(child);
  }
  await Deno.remove(dir, { recursive: true });
}

const posix = { ignore: Deno.build.os === "windows" };

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(
    `serve closes the server on ${signal} and ends with code 0`,
    posix,
    () =>
      withChild("closes", async (child) => {
        await child.saw('"started"');
        child.process.kill(signal);
        assert.equal((await child.process.status).code, 0);
        await child.saw('"stopped"');
        assert.match(child.output(), /closing/);
        assert.match(child.output(), /"certificateSha256":"[0-9a-f]{64}"/);
        assert.match(child.output(), /OPEN TO EVERYBODY: .* auth: \{ required: true \}/);
      }),
  );
}

Deno.test(
  "serve ends at once on a second signal, however long the server takes to close",
  posix,
  () =>
    withChild("hangs", async (child) => {
      await child.saw('"started"');
      child.process.kill("SIGTERM");
      await child.saw("closing");
      child.process.kill("SIGINT");
      assert.equal((await child.process.status).code, 130);
      assert.doesNotMatch(child.output(), /"stopped"/);
    }),
);

Deno.test("serve closes what is left and fails when the server fails", () =>
  withChild("fails", async (child) => {
    await child.saw("the endpoint died");
    assert.equal((await child.process.status).code, 1);
    assert.match(child.output(), /closing/);
  }));
