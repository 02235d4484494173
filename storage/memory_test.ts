import { deepStrictEqual } from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { MemoryStore } from "./memory.ts";
import { MemoryTrack } from "./memory_track.ts";

Deno.test("memory: listing one broadcast looks at no track of another one, also after these come and go", async () => {
  await using store = new MemoryStore({ clock: new ManualClock(), maxBytes: 1 << 20 });
  const frame = { group: 0, timestamp: 0, keyframe: true, payload: new Uint8Array(1) };
  for (let i = 0; i < 200; i++) {
    await store.append({ broadcast: `b${i % 100}`, track: `${i}` }, frame);
  }
  await store.delete({ broadcast: "b7", track: "7" });
  const own = Object.getOwnPropertyDescriptor(MemoryTrack.prototype, "frames")!;
  const seen = new Set<string>();
  Object.defineProperty(MemoryTrack.prototype, "frames", {
    ...own,
    get(this: MemoryTrack) {
      seen.add(this.key.broadcast);
      return own.get!.call(this);
    },
  });
  try {
    deepStrictEqual((await store.list("b7")).map(({ track }) => track), ["107"]);
    deepStrictEqual(await store.list("b"), []);
  } finally {
    Object.defineProperty(MemoryTrack.prototype, "frames", own);
  }
  deepStrictEqual([...seen], ["b7"]);
});
