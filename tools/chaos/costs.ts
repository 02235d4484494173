/**
 * What one connection of a bad peer costs. Many are held at once, each at its worst. The growth of the relay's memory is
 * divided by their number.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";
import type { Fault, Stage } from "./fault.ts";
import { readGauges } from "./gauges.ts";
import type { Cost } from "./outcome.ts";
import { number, within } from "./peers.ts";

/** A peer at its worst, held open. */
export interface Held {
  /** Fulfils when it is over, whichever end closed it. */
  readonly closed: Promise<unknown>;
  close(): void;
}

export interface Crowd extends Pick<Fault, "name" | "what" | "counters" | "open"> {
  /** How many are held at once. */
  readonly count: number;
  readonly boundMb: number;
  /** Makes one peer at its worst. Throws if the relay refuses it, which costs nothing more. */
  readonly one: (stage: Stage, i: number) => Promise<Held>;
}

/** How many handshakes begin at the same time. */
const AT_A_TIME = 8;
const SAMPLE_MS = 500;

/** A fault that holds a crowd until its time is over, and reports what one peer cost. */
export function crowd({ count, boundMb, one, ...fault }: Crowd): Fault {
  return {
    ...fault,
    async run(stage) {
      const { relay, signal, scale } = stage;
      const residentMb = async () =>
        ((await readGauges(relay.adminUrl)).get("qumo_process_resident_memory_bytes") ?? 0) / 1e6;
      const beforeMb = await residentMb();
      let mostMb = beforeMb;
      const held: Held[] = [];
      let next = 0;
      let gone = 0;
      const all = Math.max(1, Math.round(count * scale));
      const opening = Promise.all(Array.from({ length: AT_A_TIME }, async () => {
        while (next < all && !signal.aborted) {
          const peer = await within(15_000, one(stage, next++)).catch(() => undefined);
          if (peer === undefined) continue;
          held.push(peer);
          void peer.closed.then(() => gone++);
        }
      }));
      while (!signal.aborted) {
        mostMb = Math.max(mostMb, await residentMb());
        await sleep(SAMPLE_MS, signal);
      }
      await opening;
      const ended = gone;
      for (const peer of held) peer.close();
      const peers = Math.max(1, held.length);
      const cost: Cost = {
        peers: held.length,
        mbEach: Math.round((mostMb - beforeMb) / peers * 100) / 100,
        boundMb,
      };
      stage.tell(cost);
      return `${number(held.length)} at once, of which the relay closed ${number(ended)}: ` +
        `${cost.mbEach} MB each`;
    },
  };
}
