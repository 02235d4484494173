import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import type { Rendition, VideoRendition } from "../rendition.ts";
import { eachCatalog } from "./each_catalog.ts";
import type { LiveMedia } from "./live_media.ts";

v8.setFlagsFromString("--expose-gc");
const collectGarbage: () => void = vm.runInNewContext("gc");

const HD: VideoRendition = { kind: "video", name: "hd", codec: "vp8", container: "legacy" };
const SEVERAL: Rendition[][] = [
  [HD],
  [{ ...HD, bitrate: 5, jitterMs: 9 }],
  [],
  [{ ...HD, framerate: 25 }],
  [{ ...HD, description: Uint8Array.of(1) }],
];

/** What happens to passes while these catalogs come. */
async function passes(options: Partial<Parameters<typeof eachCatalog>[1]>, failAt = Infinity) {
  const told: string[] = [];
  const catalogs = async function* () {
    yield* SEVERAL;
    told.push("over");
  };
  const { signal } = new AbortController();
  const live = { catalogs } as unknown as LiveMedia;
  await eachCatalog(live, { signal, ...options }, async (chosen, signal) => {
    const fields = chosen.flatMap((one) => Object.keys(one)).slice(4).join();
    if (told.length >= failAt) throw new Error("no more");
    told.push(`begin ${fields}`);
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve());
    if (fields !== "description") await aborted.promise;
    told.push(`end ${fields}`);
  });
  return told;
}

Deno.test("eachCatalog() ends a pass when decoders must start over, not for measured timing", async () => {
  const choose = (all: readonly Rendition[]) => all.length === 0 ? undefined : all;
  const last = ["begin description", "end description", "over"];
  assert.deepEqual(await passes({ choose }), ["begin ", "end ", ...last]);
  assert.deepEqual(
    await passes({ choose, framerate: true }),
    ["begin ", "end ", "begin framerate", "end framerate", ...last],
  );
});

Deno.test("eachCatalog() throws what a pass throws, and ends the one before", async () => {
  await assert.rejects(passes({}, 2), /no more/);
});

Deno.test("eachCatalog() holds no catalog that has passed, however many come", async () => {
  const over = new AbortController();
  const passed: WeakRef<readonly Rendition[]>[] = [];
  const catalogs = async function* () {
    for (let n = 0; n < 20; n++) {
      const catalog = [{ ...HD, bitrate: n }];
      passed.push(new WeakRef(catalog));
      yield catalog;
      await new Promise((resolve) => setTimeout(resolve));
    }
    collectGarbage();
    const held = passed.filter((catalog) => catalog.deref() !== undefined).length;
    assert.ok(held <= 2, `${held} of 20 catalogs are held`);
    over.abort();
  };
  const live = { catalogs } as unknown as LiveMedia;
  await eachCatalog(
    live,
    over,
    (_, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
  );
});
