import assert from "node:assert/strict";
import { watchFile } from "./watch_file.ts";

Deno.test("watchFile() tells of a change once it has settled, also after the file was gone", async () => {
  const dir = await Deno.makeTempDir({ prefix: "qumo-watch-" });
  const file = `${dir}/config.yaml`;
  await Deno.writeTextFile(file, "a");
  const ended = new AbortController();
  const changed: string[] = [];
  let told = Promise.withResolvers<void>();
  const watching = watchFile(file, {
    signal: ended.signal,
    intervalMs: 20,
    onChange: async () => {
      changed.push(await Deno.readTextFile(file));
      told.resolve();
      told = Promise.withResolvers();
    },
  });
  try {
    // The first look happens before this turn of the event loop is over; then each change is waited for.
    await new Promise((resolve) => setTimeout(resolve, 60));
    for (const text of ["b", "c"]) {
      const next = told.promise;
      await Deno.remove(file);
      await Deno.writeTextFile(file, text);
      await next;
    }
    await Deno.writeTextFile(file, "c"); // written again, with nothing new
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(changed, ["b", "c"]);
  } finally {
    ended.abort();
    await watching;
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("watchFile() tells once that the file is gone, and of its return with the same text", async () => {
  const dir = await Deno.makeTempDir({ prefix: "qumo-watch-" });
  const file = `${dir}/config.yaml`;
  await Deno.writeTextFile(file, "a");
  const ended = new AbortController();
  const told: string[] = [];
  const tells = async (text: string) => {
    while (!told.includes(text)) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const watching = watchFile(file, {
    signal: ended.signal,
    intervalMs: 10,
    onChange: () => void told.push("there"),
    onGone: () => void told.push("gone"),
  });
  try {
    // Until it looks: what is written before its first look is no change.
    for (let n = 0; told.length === 0; n++) {
      await Deno.writeTextFile(file, String(n));
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    told.length = 0;
    await Deno.rename(file, `${file}.away`);
    await tells("gone");
    await Deno.rename(`${file}.away`, file);
    await tells("there");
    assert.deepEqual(told, ["gone", "there"]);
  } finally {
    ended.abort();
    await watching;
    await Deno.remove(dir, { recursive: true });
  }
});
