import { sleep } from "../../base/sleep.ts";
import { type Gauges, readGauges } from "./gauges.ts";

/** What has to return to its old value when the bad peers are gone. */
export const GAUGES = [
  "qumo_sessions",
  "qumo_broadcasts",
  "qumo_subscriptions",
  "qumo_handshakes",
] as const;
/** How long nothing happens before memory is read. */
const SETTLE_MS = 6000;
const SAMPLE_MS = 500;

/** Looks at the relay's metrics. Throws when the relay does not answer, which ends the fault. */
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

  /** @returns Whether it came about in time. */
  async until(wanted: (gauges: Gauges) => boolean, timeoutMs: number): Promise<boolean> {
    const giveUpMs = performance.now() + timeoutMs;
    while (!wanted(await this.look())) {
      if (performance.now() > giveUpMs) return false;
      await sleep(SAMPLE_MS);
    }
    return true;
  }

  /** Lets time go by, looking. */
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

  /** Median of the last few looks, in MB. */
  memory(): number {
    return this.#recent.toSorted((a, b) => a - b)[this.#recent.length >> 1]!;
  }
}
