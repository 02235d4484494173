import { MediaPublisher } from "../../media/broadcast/media_publisher.ts";
import { MemoryRelay, newStats } from "../../tests/support/plugin_run.ts";
import { fixture, piped } from "./fixture.ts";
import { cpuMs } from "./cpu.ts";

export interface IngressResult {
  /** Of fragmented MP4 that was read and published. */
  readonly framesPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly cpuUsPerFrame: number;
}

const SECONDS = 5;

/** Publishes a file over and over, as fast as it goes, into a relay in memory. */
export async function measureIngress(): Promise<IngressResult> {
  const file = await fixture(10);
  await using at = new MemoryRelay();
  const client = await at.client();
  const stats = newStats();
  using publisher = new MediaPublisher({ client, path: "bench", stats });
  const publish = async (seconds: number) => {
    const [fromMs, fromFrames, fromBytes] = [performance.now(), stats.framesIn, stats.bytesIn];
    const cpu = cpuMs();
    while (performance.now() - fromMs < seconds * 1000) await publisher.stream(piped(file));
    const passed = (performance.now() - fromMs) / 1000;
    const frames = stats.framesIn - fromFrames;
    return {
      framesPerSecond: Math.round(frames / passed),
      megabytesPerSecond: Math.round((stats.bytesIn - fromBytes) / passed / 1e5) / 10,
      cpuUsPerFrame: Math.round((cpuMs() - cpu) * 10_000 / frames) / 10,
    };
  };
  await publish(1);
  const result = await publish(SECONDS);
  await client.close();
  return result;
}
