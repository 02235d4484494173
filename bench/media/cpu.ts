const MS_PER_TICK = 10;

/** CPU time in milliseconds of this process and of all its children, ended or running. Linux only. */
export function cpuMs(): number {
  const own = ticksOf("self")!;
  let ticks = own.self + own.ended;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const child = ticksOf(name);
    if (child?.parent === Deno.pid) ticks += child.self + child.ended;
  }
  return ticks * MS_PER_TICK;
}

function ticksOf(pid: string) {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The fields after the name, which may contain anything: state, parent … (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
    return {
      parent: fields[1]!,
      self: fields[11]! + fields[12]!,
      ended: fields[13]! + fields[14]!,
    };
  } catch { // It has ended.
    return undefined;
  }
}
