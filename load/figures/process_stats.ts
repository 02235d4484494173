/**
 * Figures of a process and of the machine, from Linux's /proc. Other systems have nothing to read.
 *
 * @module
 */
import { reasonOf, UsageError } from "../../base/errors.ts";

/** Linux counts CPU time in this many ticks a second, on every architecture that Deno supports. */
const TICKS_PER_SECOND = 100;
const MS_PER_TICK = 1000 / TICKS_PER_SECOND;

/** A process at one moment. Times and switches are since its start. */
export interface ProcessSnapshot {
  readonly userMs: number;
  readonly systemMs: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
  readonly threads: number;
  /** How often its threads gave up the processor because there was nothing to do. */
  readonly voluntarySwitches: number;
  /** How often the system took it from them. */
  readonly involuntarySwitches: number;
}

/** @throws {UsageError} There is no such process, or no /proc. */
export function readProcess(pid: number): ProcessSnapshot {
  try {
    const [userMs, systemMs] = cpuTimes(Deno.readTextFileSync(`/proc/${pid}/stat`));
    const status = fieldsOf(Deno.readTextFileSync(`/proc/${pid}/status`));
    const threads = threadsOf(pid);
    const sum = (key: string) => threads.reduce((total, t) => total + (t.get(key) ?? 0), 0);
    return {
      userMs,
      systemMs,
      rssBytes: (status.get("VmRSS") ?? 0) * 1024,
      peakRssBytes: (status.get("VmHWM") ?? 0) * 1024,
      threads: threads.length,
      voluntarySwitches: sum("voluntary_ctxt_switches"),
      involuntarySwitches: sum("nonvoluntary_ctxt_switches"),
    };
  } catch (error) {
    const why = Deno.build.os === "linux" ? reasonOf(error) : "only Linux tells that";
    throw new UsageError(`--pid: cannot read the figures of process ${pid}: ${why}`, {
      cause: error,
    });
  }
}

/** This process's CPU time in milliseconds, or `undefined` where the system does not tell. */
export function ownCpuMs(): number | undefined {
  try {
    const [user, system] = cpuTimes(Deno.readTextFileSync("/proc/self/stat"));
    return user + system;
  } catch { // Not Linux.
    return undefined;
  }
}

/** Busy and all time of all cores together since boot, in ticks; `undefined` where the system does not tell. */
export function machineTimes(): { readonly busy: number; readonly all: number } | undefined {
  try {
    const line = Deno.readTextFileSync("/proc/stat").split("\n", 1)[0]!;
    const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, ...rest] = line.trim().split(/\s+/)
      .slice(1, 9).map(Number);
    const busy = user + nice + system + rest.reduce((a, b) => a + b, 0);
    return { busy, all: busy + idle + wait };
  } catch { // Not Linux.
    return undefined;
  }
}

/** User and system time from a `stat` file. The name in it can hold anything, so the last ")" counts. */
export function cpuTimes(stat: string): [userMs: number, systemMs: number] {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return [Number(fields[11]) * MS_PER_TICK, Number(fields[12]) * MS_PER_TICK];
}

function threadsOf(pid: number): Map<string, number>[] {
  const found: Map<string, number>[] = [];
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    try {
      found.push(fieldsOf(Deno.readTextFileSync(`/proc/${pid}/task/${name}/status`)));
    } catch { // It ended in the meantime.
    }
  }
  return found;
}

/** The lines "Name: 123 kB" of a `status` file. */
export function fieldsOf(status: string): Map<string, number> {
  return new Map(
    status.split("\n").map((line) => {
      const [name = "", value = ""] = line.split(":");
      return [name, parseInt(value.trim())] as const;
    }).filter(([, value]) => !Number.isNaN(value)),
  );
}
