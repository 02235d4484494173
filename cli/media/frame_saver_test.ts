import assert from "node:assert/strict";
import { openFrameSaver } from "./frame_saver.ts";

const HOSTILE = [
  ...["", ".", "..", "../../escape", "/escape", "video", "Video", "VIDEO", "é", "e\u0301"],
  ...["界".repeat(100), "界".repeat(100) + "x", "a\0b", "con", "video. ", "x".repeat(1000)],
];

async function saved(raw: boolean): Promise<Map<string, string>> {
  const parent = await Deno.makeTempDir({ prefix: "qumo-relay-test-" });
  const out = `${parent}/out`;
  try {
    {
      await using sink = openFrameSaver(out, raw);
      for (const [i, track] of HOSTILE.entries()) {
        await sink.write(track, 7, 0, new TextEncoder().encode(`${i}`));
      }
    }
    assert.deepEqual(Array.from(Deno.readDirSync(parent), ({ name }) => name), ["out"]);
    const found = new Map<string, string>();
    for await (const { name } of Deno.readDir(out)) {
      found.set(name, await Deno.readTextFile(`${out}/${name}${raw ? "" : "/7-0"}`));
    }
    return found;
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

for (const raw of [false, true]) {
  Deno.test(`tracks of any name are saved beside each other, none outside ${raw ? "(raw)" : ""}`, async () => {
    const found = await saved(raw);
    assert.equal(found.size, HOSTILE.length);
    const folded = [...found.keys()].map((name) => name.normalize("NFD").toLowerCase());
    assert.equal(new Set(folded).size, HOSTILE.length, folded.join("\n"));
    assert.deepEqual([...found.values()].sort(), HOSTILE.map((_, i) => `${i}`).sort());
    assert.equal(found.get("video"), "5");
  });
}
