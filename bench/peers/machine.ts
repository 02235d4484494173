/** The machine that a result was measured on, without anything that identifies its owner. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly deno: string;
  /** The system's default receive buffer of a UDP socket, in bytes; 0 where it does not tell. */
  readonly receiveBufferBytes: number;
}

export function describeMachine(): Machine {
  const cpu = /^model name\s*:\s*(.*)$/m.exec(read("/proc/cpuinfo"))?.[1] ?? Deno.build.arch;
  return {
    cpu: cpu.trim(),
    cores: navigator.hardwareConcurrency,
    memoryGb: Math.round(Deno.systemMemoryInfo().total / 1024 ** 3),
    kernel: `${Deno.build.os} ${Deno.osRelease()}`,
    deno: Deno.version.deno,
    receiveBufferBytes: Number(read("/proc/sys/net/core/rmem_default").trim()),
  };
}

/** The load average of the last minute. Other programs count too. */
export const loadAverage = (): number => Math.round(Deno.loadavg()[0]! * 100) / 100;

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch { // Not Linux.
    return "";
  }
}
