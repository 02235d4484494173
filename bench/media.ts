/**
 * `deno task bench:media`: ingress, storage, transforms, and how many clients a relay holds. Writes the tables of
 * docs/performance.md.
 *
 *   deno task bench:media [--only ingress,storage,transforms,clients]
 *
 * With `--only` the other parts keep their results in bench/results/media.json. Needs ffmpeg, and redis-server for storage.
 */
import { parseArgs } from "node:util";
import { fromFileUrl } from "../tools/file_url.ts";
import { say } from "../tools/say.ts";
import { measureClients } from "./media/clients.ts";
import { type MediaResult, type StorageResult, withMediaResults } from "./media/document.ts";
import { measureIngress } from "./media/ingress.ts";
import { APPEND_FRAMES, GROUP_FRAMES, storageUnderLoad, stores } from "./media/storage.ts";
import { measureTransforms } from "./media/transforms.ts";
import { describeMachine, loadAverage } from "./peers/machine.ts";

const DOCUMENT = fromFileUrl(new URL("../docs/performance.md", import.meta.url));
const RESULTS = fromFileUrl(new URL("./results/media.json", import.meta.url));
const SECONDS = 3;

/** Times per second. */
async function rate(work: () => Promise<void>): Promise<number> {
  for (let i = 0; i < 20; i++) await work();
  const fromMs = performance.now();
  let times = 0;
  for (; performance.now() - fromMs < SECONDS * 1000; times++) await work();
  return times * 1000 / (performance.now() - fromMs);
}

async function measureStorage(): Promise<StorageResult[]> {
  const results: StorageResult[] = [];
  for (const { name, options } of await stores()) {
    const store = await storageUnderLoad(options);
    results.push({
      name,
      appendFramesPerSecond: Math.round(APPEND_FRAMES * await rate(store.append)),
      readFramesPerSecond: Math.round(GROUP_FRAMES * await rate(store.read)),
    });
  }
  return results;
}

const PARTS = {
  ingress: measureIngress,
  storage: measureStorage,
  transforms: () => measureTransforms(say),
  clients: () => measureClients(say),
} as const;

async function ffmpegVersion(): Promise<string> {
  const { stdout } = await new Deno.Command("ffmpeg", { args: ["-version"] }).output();
  const [, version] = /version ([\d.]+)/.exec(new TextDecoder().decode(stdout)) ?? [];
  return `ffmpeg ${version ?? "of unknown version"}`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: "string" } } });
  const chosen = values.only?.split(",") ?? Object.keys(PARTS);
  const before: Partial<MediaResult> = values.only === undefined
    ? {}
    : JSON.parse(await Deno.readTextFile(RESULTS));
  const loads = before.loadAverage ? [before.loadAverage.min, before.loadAverage.max] : [];
  const results: Record<string, unknown> = {};
  for (const [name, measure] of Object.entries(PARTS)) {
    if (!chosen.includes(name)) continue;
    loads.push(loadAverage());
    results[name] = await measure();
    say(`${name}: ${JSON.stringify(results[name])}`);
  }
  const result = {
    ...before,
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    loadAverage: { min: Math.min(...loads), max: Math.max(...loads) },
    ffmpeg: await ffmpegVersion(),
    ...results,
  } as MediaResult;
  await Deno.writeTextFile(RESULTS, JSON.stringify(result, null, 2) + "\n");
  await Deno.writeTextFile(DOCUMENT, withMediaResults(await Deno.readTextFile(DOCUMENT), result));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", RESULTS, DOCUMENT] }).output();
}

if (import.meta.main) {
  await main();
  // The stores keep their connections.
  Deno.exit(0);
}
