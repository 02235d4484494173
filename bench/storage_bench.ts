/** Media storage: 100 appends of 4,000 B frames at once, and a group of 60 frames read back. `deno bench -A bench/storage_bench.ts` */
import { APPEND_FRAMES, GROUP_FRAMES, storageUnderLoad, stores } from "./media/storage.ts";

for (const { name, options } of await stores()) {
  const store = await storageUnderLoad(options);
  Deno.bench(`${name}: append ${APPEND_FRAMES} frames`, { group: "append" }, store.append);
  Deno.bench(`${name}: read a group of ${GROUP_FRAMES} frames`, { group: "read" }, store.read);
}
