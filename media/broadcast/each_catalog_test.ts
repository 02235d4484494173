import assert from "node:assert/strict";
import type { Rendition, VideoRendition } from "../rendition.ts";
import { eachCatalog } from "./each_catalog.ts";
import type { LiveMedia } from "./live_media.ts";

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
