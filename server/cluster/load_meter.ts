/**
 * Measures how much this server does, over all of its threads.
 *
 * @module
 */
import process from "node:process";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { Census } from "../limits/census.ts";
import type { NodeLoad } from "./node_info.ts";

/** How often it measures. */
const PERIOD_MS = 1000;

/** What it reads. */
export interface LoadSources {
  readonly census: Pick<Census, "sessions" | "sentKilobytes">;
  /** CPU that the process has used, in microseconds. Default: that of this process. */
  readonly cpuMicros?: () => number;
  /** Cores of the machine. Default: as the runtime counts them. */
  readonly cores?: number;
  readonly clock?: Clock;
}

interface Sample {
  readonly atMs: number;
  readonly sentKilobytes: number;
  readonly cpuMicros: number;
}

/** Its owner stops it. */
export class LoadMeter {
  readonly #sources: LoadSources;
  readonly #clock: Clock;
  #last: Sample;
  #measured = { mbps: 0, cpu: 0 };
  #cancel: (() => void) | undefined;

  constructor(sources: LoadSources) {
    this.#sources = sources;
    this.#clock = sources.clock ?? systemClock;
    this.#last = this.#sample();
  }

  /** The load of the last second; `sessions` are those of this moment. */
  get load(): NodeLoad {
    return { sessions: this.#sources.census.sessions, ...this.#measured };
  }

  /** Measures once a second. @param told Gets each measurement. */
  start(told: (load: NodeLoad) => void): void {
    this.#cancel?.();
    this.#cancel = this.#clock.after(PERIOD_MS, () => {
      this.#measure();
      told(this.load);
      this.start(told);
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #measure(): void {
    const now = this.#sample();
    const { atMs, sentKilobytes, cpuMicros } = this.#last;
    this.#last = now;
    const ms = now.atMs - atMs;
    if (ms <= 0) return;
    // The counters wrap around, and one begins anew with a thread that was started again.
    const sent = now.sentKilobytes - sentKilobytes | 0;
    const cores = this.#sources.cores ?? navigator.hardwareConcurrency;
    this.#measured = {
      mbps: Math.max(0, sent) * 8.192 / ms,
      cpu: Math.min(1, (now.cpuMicros - cpuMicros) / (ms * 1000 * cores)),
    };
  }

  #sample(): Sample {
    const { census: { sentKilobytes }, cpuMicros = ownCpuMicros } = this.#sources;
    return { atMs: this.#clock.now(), sentKilobytes, cpuMicros: cpuMicros() };
  }
}

/** Of all threads. */
function ownCpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
