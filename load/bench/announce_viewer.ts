import { reasonOf } from "../../base/errors.ts";
import type { Client } from "../../client/mod.ts";
import type { ViewerPlan } from "./plan.ts";
import { dialClient } from "./publisher.ts";
import { sentMsOfName, wallMs } from "../figures/stamp.ts";
import type { ViewerContext } from "./viewer.ts";

/** A viewer of a load of announcements. It listens to all of them, and each one counts as a frame. */
export class AnnounceViewer {
  readonly #context: ViewerContext;
  #client: Client | undefined;
  #leaving = false;

  constructor(_plan: ViewerPlan, context: ViewerContext) {
    this.#context = context;
  }

  /** Connects; a failure is counted, not thrown. */
  async come(): Promise<void> {
    const { tally, target, signal } = this.#context;
    const beganMs = wallMs();
    try {
      const client = await dialClient(target);
      this.#client = client;
      tally.connectUs.record((wallMs() - beganMs) * 1000);
      tally.connected++;
      tally.up++;
      client.closed.then(({ reason }) => {
        tally.up--;
        if (this.#leaving || signal.aborted) return;
        tally.lost++;
        tally.reason(`session lost: ${reason || "no reason given"}`);
      });
      this.#listen(client, beganMs);
    } catch (error) {
      tally.failed++;
      tally.reason(reasonOf(error));
    }
  }

  mark(): void {}

  settled(): boolean {
    return true;
  }

  end(): void {
    this.#leaving = true;
    this.#client?.close();
  }

  async #listen(client: Client, beganMs: number): Promise<void> {
    const { tally } = this.#context;
    const subscribedMs = wallMs();
    let first = true;
    for await (const { path, active } of client.announced()) {
      if (!active) continue;
      const sentMs = sentMsOfName(path);
      if (sentMs === undefined) continue;
      const nowMs = wallMs();
      tally.frames++;
      tally.bytes += path.length;
      if (first) tally.firstFrameUs.record((nowMs - beganMs) * 1000);
      first = false;
      if (tally.measuring && sentMs >= subscribedMs) {
        tally.latencyUs.record((nowMs - sentMs) * 1000);
      }
    }
  }
}
