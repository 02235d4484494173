import type { Clock } from "../base/clock.ts";
import { sleep } from "../base/sleep.ts";
import type { Session } from "./session.ts";

/** How often a drain checks whether everything has been sent, and how long the last bytes have to arrive. */
const STEP_MS = 20;
const DELIVERY_MS = 250;
/** GOAWAY goes out this much earlier than the ends of the subscriptions. */
const GOAWAY_MS = 100;

/** How sessions are drained. */
export interface DrainOptions {
  readonly clock: Clock;
  /** How long that may take, in milliseconds. */
  readonly graceMs: number;
  /** Where the peers are sent; empty means back to the same place. */
  readonly uri: string;
}

/**
 * Asks peers to leave, and waits until groups that have begun are sent. The caller closes the sessions that are left.
 * @returns Whether everything was sent in time.
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
  // GOAWAY goes first: without it a peer takes the end of a subscription for the end of its track.
  if (sessions.length > 0) await Promise.race([grace, wait(GOAWAY_MS)]);
  for (const session of sessions) session.drain();
  while (!over && sessions.some((s) => s.servedCount > 0)) {
    await Promise.race([grace, wait(STEP_MS)]);
  }
  // The last bytes are still on their way. A peer that has them may leave by itself.
  const left = Promise.all(sessions.map((s) => s.closed));
  if (!over && sessions.length > 0) await Promise.race([grace, left, wait(DELIVERY_MS)]);
  cancel();
  return !over;
}
