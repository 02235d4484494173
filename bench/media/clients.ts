import { MAIN, subjects } from "../peers/subjects.ts";
import { runOnce } from "../peers/run.ts";
import type { Shape } from "../peers/shapes.ts";

/** One step of the search. */
export interface ClientsResult {
  readonly viewers: number;
  readonly up: number;
  readonly failed: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly relayCpuPercent: number | undefined;
  readonly machineBusyPercent: number | undefined;
  /** Every viewer connected and got its frames in time. */
  readonly held: boolean;
}

const STEPS = [100, 200, 300, 400, 500, 750, 1000, 1500, 2000];
/** A longer delay is no longer live. */
export const MAX_LATENCY_MS = 250;
const DURATION_MS = 5000;
/** A step that fails is tried again, because other programs on the machine come and go. */
const ATTEMPTS = 3;
/** No step begins after this long. */
const BUDGET_MS = 120_000;

/** More and more viewers of one track, until some cannot connect, or frames come too late. */
export async function measureClients(say: (text: string) => void): Promise<ClientsResult[]> {
  const [relay] = await subjects();
  if (relay === undefined) throw new Error(`${MAIN} does not start`);
  const begunMs = performance.now();
  const results: ClientsResult[] = [];
  const inTime = () => performance.now() - begunMs < BUDGET_MS;
  const run = async (viewers: number): Promise<ClientsResult> => {
    const shape: Shape = {
      ...{
        name: `${viewers}`,
        viewers,
        fps: 30,
        frameSize: 1200,
        groupSize: 30,
        transport: "quic",
      },
    };
    const { result } = await runOnce(relay, shape, { round: 1, durationMs: DURATION_MS });
    const { up, failed } = result.viewers;
    const step = {
      ...{ viewers, up, failed },
      latencyP50Ms: result.latencyMs.p50,
      latencyP99Ms: result.latencyMs.p99,
      relayCpuPercent: result.relay?.cpuPercent,
      machineBusyPercent: result.generator.machineBusyPercent,
      held: up === viewers && failed === 0 && result.latencyMs.p99 <= MAX_LATENCY_MS,
    };
    say(`${viewers} viewers: ${up} up, p99 ${step.latencyP99Ms} ms`);
    return step;
  };
  for (const viewers of STEPS) {
    let best: ClientsResult | undefined;
    for (let attempt = 0; attempt < ATTEMPTS && !best?.held && inTime(); attempt++) {
      const step = await run(viewers);
      if (best === undefined || step.held || step.latencyP99Ms < best.latencyP99Ms) best = step;
    }
    if (best !== undefined) results.push(best);
    if (!best?.held) break;
  }
  return results;
}
