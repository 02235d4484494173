/**
 * One viewer: comes, subscribes, reads, leaves, and comes back if its plan says so.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";
import { reasonOf } from "../../base/errors.ts";
import { dialLight, type LightTarget } from "../light_session.ts";
import type { LightSession, LightStream, StreamScan } from "../light.ts";
import { Ledger } from "../figures/ledger.ts";
import type { ViewerPlan } from "./plan.ts";
import { drawBetween, randomOf } from "../figures/range.ts";
import { isLast, sentMsOf, wallMs } from "../figures/stamp.ts";
import type { Tally } from "../figures/tally.ts";

/** How long a slow viewer waits before each read. */
const SLOW_READ_MS = 250;
/** A relay refuses a broadcast that it has not heard of yet. The viewer subscribes again this often, with this pause. */
const ASK_AGAIN = { times: 20, afterMs: 250 } as const;
/** Frames of the last second before a viewer leaves may still be on their way: they are not judged. */
const UNJUDGED_MS = 1000;
/** A viewer without a group counts as silent only after a stay this long. */
const SILENT_MS = 3000;

/** What all viewers of a process share. */
export interface ViewerContext {
  readonly target: LightTarget;
  readonly tally: Tally;
  /** Ends waiting; viewers then leave without coming back. */
  readonly signal: AbortSignal;
}

export class Viewer {
  readonly #plan: ViewerPlan;
  readonly #context: ViewerContext;
  readonly #random: () => number;
  #stay: Stay | undefined;

  constructor(plan: ViewerPlan, context: ViewerContext) {
    this.#plan = plan;
    this.#context = context;
    this.#random = randomOf(plan.seed);
  }

  /** Connects and subscribes; a failure is counted, not thrown. With a stay in the plan it goes on by itself. */
  async come(): Promise<void> {
    this.#stay = await Stay.begin(this.#plan, this.#context);
    const { stayMs } = this.#plan;
    if (stayMs !== undefined) this.#leaveAfter(drawBetween(stayMs, this.#random));
  }

  /** If nobody says what was published last, only groups up to the current newest are judged. */
  mark(): void {
    this.#stay?.mark();
  }

  /** Whether all that was published up to these groups has come. */
  settled(last: LastGroups): boolean {
    return this.#stay === undefined || this.#stay.settled(last);
  }

  /** Judges what came and leaves. */
  end(last: LastGroups): void {
    this.#stay?.judge(last);
    this.#stay?.close();
    this.#stay = undefined;
  }

  async #leaveAfter(ms: number): Promise<void> {
    const { signal } = this.#context;
    await sleep(Math.max(0, ms - UNJUDGED_MS), signal);
    if (signal.aborted) return;
    const stay = this.#stay;
    const reached = stay?.newest() ?? {};
    await sleep(Math.min(ms, UNJUDGED_MS), signal);
    if (signal.aborted) return;
    stay?.judge(reached);
    stay?.close();
    this.#stay = undefined;
    await this.come();
  }
}

/** The newest group of each track, by {@link keyOf}. */
export type LastGroups = Readonly<Record<string, number>>;

export const keyOf = (broadcast: string, track: string): string => `${broadcast} ${track}`;

interface Watched {
  readonly key: string;
  readonly ledger: Ledger;
  /** The newest group at the time of {@link Stay.mark}. */
  marked?: number;
}

/** One session of a viewer. */
class Stay {
  readonly #session: LightSession;
  readonly #slow: boolean;
  readonly #context: ViewerContext;
  readonly #beganMs: number;
  /** By subscription id. A repeated subscription has several. */
  readonly #watched = new Map<number, Watched>();
  #subscribedMs = Infinity;
  #nowMs = 0;
  #nextId = 0;
  #hasFrame = false;
  #closed = false;

  private constructor(session: LightSession, slow: boolean, context: ViewerContext, began: number) {
    this.#session = session;
    this.#slow = slow;
    this.#context = context;
    this.#beganMs = began;
  }

  static async begin(plan: ViewerPlan, context: ViewerContext): Promise<Stay | undefined> {
    const { tally, target } = context;
    const beganMs = wallMs();
    try {
      const session = await dialLight(target);
      tally.connectUs.record((wallMs() - beganMs) * 1000);
      const stay = new Stay(session, plan.slow, context, beganMs);
      tally.connected++;
      tally.up++;
      stay.#accept();
      session.closed.then(({ reason }) => stay.#over(reason));
      await Promise.all(plan.watch.map(({ broadcast, track }) => stay.#watch(broadcast, track)));
      return stay;
    } catch (error) {
      tally.failed++;
      tally.reason(reasonOf(error));
      return undefined;
    }
  }

  newest(): LastGroups {
    return Object.fromEntries([...this.#watched.values()].map((w) => [w.key, w.ledger.newest]));
  }

  mark(): void {
    for (const watched of this.#watched.values()) watched.marked = watched.ledger.newest;
  }

  settled(last: LastGroups): boolean {
    if (this.#closed || this.#slow) return true;
    return this.#watched.values().every(({ key, ledger, marked }) =>
      ledger.settled(last[key] ?? marked ?? -1)
    );
  }

  judge(last: LastGroups): void {
    let seen = 0;
    for (const { key, ledger, marked } of this.#watched.values()) {
      const counts = ledger.judge(last[key] ?? marked);
      seen += counts.seen;
      this.#context.tally.judged(counts, this.#slow);
    }
    const long = wallMs() - this.#beganMs > SILENT_MS;
    if (this.#watched.size > 0 && seen === 0 && long) this.#context.tally.silent++;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#context.tally.up--;
    this.#session.close();
  }

  #over(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#context.tally.up--;
    this.#context.tally.lost++;
    this.#context.tally.reason(`session lost: ${reason || "no reason given"}`);
  }

  async #watch(broadcast: string, track: string, attempt = 0): Promise<void> {
    const id = this.#nextId++;
    const ledger = new Ledger();
    this.#watched.set(id, { key: keyOf(broadcast, track), ledger });
    if (attempt === 0) this.#subscribedMs = wallMs();
    const { ended } = await this.#session.subscribe(id, broadcast, track);
    ended.then(async () => {
      const { signal, tally } = this.#context;
      if (this.#closed || signal.aborted) return;
      if (ledger.newest !== -1 || attempt === ASK_AGAIN.times) {
        tally.refused++;
        return;
      }
      this.#watched.delete(id);
      await sleep(ASK_AGAIN.afterMs, signal);
      await this.#watch(broadcast, track, attempt + 1).catch(() => {});
    });
  }

  async #accept(): Promise<void> {
    for (let stream; (stream = await this.#session.acceptGroup());) this.#read(stream);
  }

  async #read(stream: LightStream): Promise<void> {
    const scan = this.#session.scan(stream, this.#onFrame);
    let ledger: Ledger | undefined;
    const find = () => {
      if (ledger !== undefined || scan.subscribe < 0) return;
      ledger = this.#watched.get(scan.subscribe)?.ledger;
      ledger?.begin(scan.sequence);
    };
    let whole = false;
    try {
      for (;;) {
        if (this.#slow) await sleep(SLOW_READ_MS, this.#context.signal);
        const chunk = await stream.read();
        if (chunk === undefined) break;
        this.#nowMs = wallMs();
        scan.push(chunk);
        find();
      }
      await scan.known?.();
      find();
      whole = scan.atBoundary && scan.frames > 0 && isLast(scan.prefix);
    } catch (error) { // Reset by the relay, or the session is over, which counts elsewhere.
      if (!this.#closed && ledger === undefined) this.#context.tally.reason(reasonOf(error));
    }
    if (!this.#closed) ledger?.end(scan.sequence, whole);
    this.#context.tally.streamsEnded++;
  }

  readonly #onFrame = (scan: StreamScan): void => {
    const { tally } = this.#context;
    tally.frames++;
    tally.bytes += scan.frameBytes;
    if (!this.#hasFrame) {
      this.#hasFrame = true;
      tally.firstFrameUs.record((this.#nowMs - this.#beganMs) * 1000);
    }
    if (!tally.measuring || this.#slow) return;
    const sentMs = sentMsOf(scan.prefix);
    // Frames written before the viewer connected are late only because of the viewer.
    if (sentMs >= this.#subscribedMs) tally.latencyUs.record((this.#nowMs - sentMs) * 1000);
  };
}
