import type { Clock } from "../base/clock.ts";
import { sleep } from "../base/sleep.ts";
import type { Session } from "./session.ts";

/** How often a drain looks whether everything is out, and how long it leaves the last bytes to arrive. */
const STEP_MS = 20;
const DELIVERY_MS = 250;
/** How much earlier than the ends of the subscriptions GOAWAY goes out. */
const GOAWAY_MS = 100;

/** How sessions are brought to their end. */
export interface DrainOptions {
  readonly clock: Clock;
  /** How long that may take, in milliseconds. */
  readonly graceMs: number;
  /** Where the peers are sent; empty means back to the same place. */
  readonly uri: string;
}

/**
 * Asks peers to leave and lets what has begun go out to its end. The sessions that are left are the caller's to close.
 * @returns Whether all was out in time.
 */
export async function drainSessions(
  sessions: readonly Session[],
  options: DrainOptions,
): Promise<boolean> {
  const { clock, graceMs, uri } = options;
  const wait = (ms: number) => sleep(ms, undefined, clock);
  let over = false;
  let cancel = () => {};
  const grace = new Promise<void>((resolve) => {
    cancel = clock.after(graceMs, () => {
      over = true;
      resolve();
    });
  });
  await Promise.race([grace, Promise.allSettled(sessions.map((s) => s.goaway(uri)))]);
  // GOAWAY first: who takes the ends of the subscriptions for the ends of the tracks does not look elsewhere.
  if (sessions.length > 0) await Promise.race([grace, wait(GOAWAY_MS)]);
  for (const session of sessions) session.drain();
  while (!over && sessions.some((s) => s.servedCount > 0)) {
    await Promise.race([grace, wait(STEP_MS)]);
  }
  // What was handed to the transports has still to arrive; a peer that has it may leave by itself.
  const left = Promise.all(sessions.map((s) => s.closed));
  if (!over && sessions.length > 0) await Promise.race([grace, left, wait(DELIVERY_MS)]);
  cancel();
  return !over;
}
