import { sleep } from "../../base/sleep.ts";
import { MediaPublisher } from "../../media/broadcast/media_publisher.ts";
import type { PluginDefinition } from "../../plugins/plugin.ts";
import { audioOnly } from "../../plugins/transform/audio_only/mod.ts";
import { thumbnail } from "../../plugins/transform/thumbnail/mod.ts";
import { transcode } from "../../plugins/transform/transcode/mod.ts";
import { watermark } from "../../plugins/transform/watermark/mod.ts";
import { MemoryRelay, newStats, runPlugin } from "../../tests/support/plugin_run.ts";
import { cpuMs } from "./cpu.ts";
import { fixture, piped } from "./fixture.ts";

export interface TransformResult {
  readonly name: string;
  /** Of output frames, in milliseconds. */
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  /** CPU of the plugin per input frame, with its ffmpeg. */
  readonly cpuMsPerFrame: number;
  readonly framesIn: number;
  readonly framesOut: number;
  readonly skipped: number;
}

const CASES: readonly [string, PluginDefinition, Record<string, unknown>][] = [
  ["no transform", audioOnly, { input: "none" }],
  ["audio-only", audioOnly, {}],
  ["thumbnail every 2 s", thumbnail, { every: "2s", path: "none" }],
  ["watermark, H.264 veryfast", watermark, { text: "qumo" }],
  ["watermark, H.264 ultrafast", watermark, { text: "qumo", preset: "ultrafast" }],
  [
    "transcode: copy, 480, 240 lines, veryfast",
    transcode,
    {
      renditions: [{ codec: "copy" }, { height: 480, bitrate: 1200 }, {
        height: 240,
        bitrate: 400,
      }],
    },
  ],
];
const SECONDS = 10;
/** The time that ffmpeg has to start. */
const WARM_UP_SECONDS = 4;

/** Runs each transform over a live broadcast, at the broadcast's own speed. */
export async function measureTransforms(say: (text: string) => void): Promise<TransformResult[]> {
  const file = await fixture(WARM_UP_SECONDS + SECONDS);
  const results: TransformResult[] = [];
  for (const [name, definition, options] of CASES) {
    const result = await measure(name, definition, options, file);
    say(`${name}: p50 ${result.latencyP50Ms} ms, ${result.cpuMsPerFrame} ms CPU per frame`);
    results.push(result);
  }
  const [none, ...rest] = results;
  // The cost of publishing is not the transform's.
  return rest.map((result) => ({
    ...result,
    cpuMsPerFrame: round(Math.max(0, result.cpuMsPerFrame - none!.cpuMsPerFrame)),
  }));
}

async function measure(
  name: string,
  definition: PluginDefinition,
  options: Record<string, unknown>,
  file: Uint8Array,
): Promise<TransformResult> {
  await using at = new MemoryRelay();
  const client = await at.client();
  const source = newStats();
  using publisher = new MediaPublisher({ client, path: "bench", stats: source });
  const run = await runPlugin(definition.create(), at, { input: "bench", ...options });
  const { stats } = run.ctx;
  const latencies: number[] = [];
  let measuring = false;
  // Every frame restarts the wait.
  let latencyMs = -1;
  Object.defineProperty(stats, "latencyMs", {
    get: () => latencyMs,
    set(value: number) {
      latencyMs = value;
      if (measuring) latencies.push(value);
    },
  });
  const sent = publisher.stream(piped(file), { paced: true });
  await sleep(WARM_UP_SECONDS * 1000);
  measuring = true;
  const [cpu, frames, out, skipped] = [cpuMs(), source.framesIn, stats.framesOut, stats.skipped];
  await sent;
  const framesIn = source.framesIn - frames;
  const cpuMsPerFrame = round((cpuMs() - cpu) / framesIn);
  measuring = false;
  publisher.withdraw();
  await run.end();
  await client.close();
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => round(latencies[Math.floor(q * (latencies.length - 1))] ?? 0);
  return {
    name,
    ...{ latencyP50Ms: quantile(0.5), latencyP99Ms: quantile(0.99), cpuMsPerFrame, framesIn },
    ...{ framesOut: stats.framesOut - out, skipped: stats.skipped - skipped },
  };
}

const round = (value: number) => Math.round(value * 100) / 100;
