/**
 * Loaded before the program (`--preload`): its wall clock is ahead, or behind, by as many milliseconds as the file named by
 * QUMO_CHAOS_CLOCK says, which is read again all the time. Monotonic time is left alone, as a jump of the system's clock
 * leaves it.
 */
const file = Deno.env.get("QUMO_CHAOS_CLOCK")!;
const RealDate = Date;
let aheadMs = 0;

function look(): void {
  try {
    aheadMs = Number(Deno.readTextFileSync(file));
  } catch { // Being written.
  }
}

globalThis.Date = class extends RealDate {
  constructor(...args: [] | [number]) {
    super(...(args.length === 0 ? [RealDate.now() + aheadMs] as [number] : args));
  }
  static override now(): number {
    return RealDate.now() + aheadMs;
  }
} as unknown as DateConstructor;

Deno.unrefTimer(setInterval(look, 50));
