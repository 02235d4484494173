import assert from "node:assert/strict";
import { silent } from "../../../base/logger.ts";
import { inDirectory } from "../../../tests/support/borrowed.ts";
import { until } from "../../../tests/support/server.ts";
import { FileDirectory } from "./file.ts";

/** Runs a test with a directory that reads `path`. */
async function reading(
  path: string,
  test: (
    file: FileDirectory,
    sees: (hosts: string) => Promise<void>,
    told: string[],
  ) => Promise<void>,
) {
  const file = new FileDirectory({ path, log: silent, intervalMs: 20 });
  const told: string[] = [];
  file.start(undefined, (nodes) => told.push(nodes.map(({ url }) => new URL(url).host).join(" ")));
  try {
    await test(file, (hosts) => until(() => told.at(-1) === hosts, hosts), told);
  } finally {
    await file.close();
  }
}

Deno.test("a file that is swapped by a symlink, as Kubernetes does it, is read again", async () => {
  await inDirectory(async (dir) => {
    for (const [version, host] of [["one", "a"], ["two", "b"]]) {
      await Deno.mkdir(`${dir}/${version}`);
      await Deno.writeTextFile(`${dir}/${version}/nodes`, `https://${host}/\n`);
    }
    await Deno.symlink("one", `${dir}/..data`);
    await Deno.symlink("..data/nodes", `${dir}/nodes`);
    await reading(`${dir}/nodes`, async (_, sees) => {
      await sees("a");
      await Deno.symlink("two", `${dir}/..tmp`);
      await Deno.rename(`${dir}/..tmp`, `${dir}/..data`);
      await sees("b");
    });
  });
});

Deno.test("a file that is broken or half-written keeps the last good list, and says so", async () => {
  await inDirectory(async (dir) => {
    const path = `${dir}/nodes`;
    await Deno.writeTextFile(path, '["https://a/", "https://b/"]');
    await reading(path, async (file, sees, told) => {
      await sees("a b");
      for (
        const [text, why] of [
          ['["https://a/", "htt', /no whole JSON array/],
          ["", /it is empty/],
          ["https://a/\nnonsense\n", /nonsense is no node/],
          [" ".repeat(5 << 20), /more than 4194304 bytes/],
        ] as const
      ) {
        await Deno.writeTextFile(path, text);
        await until(() => why.test(file.state.lastError ?? ""), String(why));
        assert.equal(file.state.reachable, false);
      }
      assert.deepEqual(told, ["a b"]);
      await Deno.writeTextFile(path, "https://c/\n");
      await sees("c");
      assert.deepEqual(file.state, { kind: "file", reachable: true });
    });
  });
});

Deno.test("a file that is a folder, or not readable, is said and asked again", async () => {
  await inDirectory(async (dir) => {
    await Deno.mkdir(`${dir}/nodes`);
    await reading(`${dir}/nodes`, async (file, sees) => {
      await until(() => file.state.lastError !== undefined, "the failure");
      await Deno.remove(`${dir}/nodes`);
      await Deno.writeTextFile(`${dir}/nodes`, "https://a/");
      await sees("a");
    });
  });
});
