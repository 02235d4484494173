/**
 * Loaded before the program (`--preload`). It moves the program's wall clock by the milliseconds in the file that
 * QUMO_CHAOS_CLOCK names. The file is read again and again. Monotonic time stays, as it does when the system's clock jumps.
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
