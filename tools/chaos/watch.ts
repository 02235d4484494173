import { sleep } from "../../base/sleep.ts";
import { type Gauges, readGauges } from "./gauges.ts";

/** Values that have to return to what they were when the bad peers are gone. */
export const GAUGES = [
  "qumo_sessions",
  "qumo_broadcasts",
  "qumo_subscriptions",
  "qumo_handshakes",
] as const;
/** How long to wait before memory is read. */
const SETTLE_MS = 6000;
const SAMPLE_MS = 500;

/** Reads the relay's metrics. Throws if the relay does not answer, which ends the fault. */
export class Watch {
  last: Gauges = new Map();
  peakMb = 0;
  readonly #adminUrl: string;
  #recent: number[] = [];

  constructor(adminUrl: string) {
    this.#adminUrl = adminUrl;
  }

  async look(): Promise<Gauges> {
    this.last = await readGauges(this.#adminUrl);
    const mb = Math.round((this.last.get("qumo_process_resident_memory_bytes") ?? 0) / 1e6);
    this.peakMb = Math.max(this.peakMb, mb);
    this.#recent = [...this.#recent.slice(-4), mb];
    return this.last;
  }

  /** @returns Whether it happened in time. */
  async until(wanted: (gauges: Gauges) => boolean, timeoutMs: number): Promise<boolean> {
    const giveUpMs = performance.now() + timeoutMs;
    while (!wanted(await this.look())) {
      if (performance.now() > giveUpMs) return false;
      await sleep(SAMPLE_MS);
    }
    return true;
  }

  /** Waits, and goes on reading. */
  async settled(): Promise<Gauges> {
    await this.sample(AbortSignal.timeout(SETTLE_MS));
    return this.last;
  }

  async sample(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      await sleep(SAMPLE_MS, signal);
    }
  }

  /** Median of the last few readings, in MB. */
  memory(): number {
    return this.#recent.toSorted((a, b) => a - b)[this.#recent.length >> 1]!;
  }
}
