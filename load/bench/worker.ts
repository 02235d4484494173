/**
 * A worker of the load generator: a share of the publishers and viewers, in a process of its own.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";
import { reasonOf } from "../../base/errors.ts";
import type { LightTarget } from "../light_session.ts";
import { AnnounceViewer } from "./announce_viewer.ts";
import { Histogram } from "../figures/histogram.ts";
import { lines } from "./lines.ts";
import type { Answers, Progress, Reply, Request, Window } from "./messages.ts";
import type { Plan } from "./plan.ts";
import { ownCpuMs } from "../figures/process_stats.ts";
import { Publisher } from "./publisher.ts";
import { Tally } from "../figures/tally.ts";
import { type LastGroups, Viewer } from "./viewer.ts";

/** How many handshakes one worker makes at a time. */
const DIALING = 24;
/** How often the event loop is looked at. */
const LOOP_MS = 10;
/** How long frames in flight may take to arrive. */
const SETTLE_MS = 10_000;

/** Serves the coordinator on standard input and output until that ends. */
export async function runWorker(): Promise<number> {
  const worker = new Worker();
  for await (const line of lines(Deno.stdin.readable)) {
    const reply: Reply = await worker.answer(JSON.parse(line)).then(
      (answer) => ({ answer }),
      (error) => ({ error: reasonOf(error) }),
    );
    const bytes = new TextEncoder().encode(JSON.stringify(reply) + "\n");
    for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
  }
  return 0;
}

class Worker {
  readonly #tally = new Tally();
  readonly #ending = new AbortController();
  readonly #sent = { frames: 0 };
  readonly #loopUs = new Histogram();
  #publishers: Publisher[] = [];
  #viewers: (Viewer | AnnounceViewer)[] = [];
  #plan: Plan = { publishers: [], viewers: [] };
  #arrived = 0;
  #from = { frames: 0, bytes: 0, sent: 0, atMs: 0, cpuMs: 0 as number | undefined };

  constructor() {
    let dueMs = performance.now() + LOOP_MS;
    const tick = () => {
      const nowMs = performance.now();
      this.#loopUs.record((nowMs - dueMs) * 1000);
      dueMs = nowMs + LOOP_MS;
      setTimeout(tick, LOOP_MS);
    };
    setTimeout(tick, LOOP_MS);
  }

  async answer(request: Request): Promise<Answers[Request["type"]]> {
    switch (request.type) {
      case "plan":
        await this.#prepare(request);
        return {};
      case "publish":
        for (const publisher of this.#publishers) publisher.start();
        return {};
      case "come":
        this.#come();
        return {};
      case "progress":
        return this.#progress();
      case "measure":
        this.#measure();
        return {};
      case "measured":
        return this.#measured();
      case "stop": {
        const stopped = await Promise.all(this.#publishers.map((p) => p.stop()));
        return { last: Object.assign({}, ...stopped) as LastGroups };
      }
      case "settle":
        return { tally: await this.#settle(request.last) };
    }
  }

  async #prepare(
    { target, ports, kind, plan }: Extract<Request, { type: "plan" }>,
  ): Promise<void> {
    this.#plan = plan;
    const publishing = { target, kind, lateUs: this.#loopUs, sent: this.#sent };
    const viewing = { tally: this.#tally, signal: this.#ending.signal };
    const Kind = kind === "media" ? Viewer : AnnounceViewer;
    this.#viewers = plan.viewers.map((viewer, i) =>
      new Kind(viewer, { ...viewing, target: behind(target, i % ports) })
    );
    await inTurn(plan.publishers.length, async (i) => {
      this.#publishers.push(await Publisher.open(plan.publishers[i]!, publishing));
    });
  }

  async #come(): Promise<void> {
    const beganMs = performance.now();
    await inTurn(this.#viewers.length, async (i) => {
      const leftMs = beganMs + this.#plan.viewers[i]!.startMs - performance.now();
      await sleep(Math.max(0, leftMs), this.#ending.signal);
      if (this.#ending.signal.aborted) return;
      await this.#viewers[i]!.come();
      this.#arrived++;
    });
  }

  #progress(): Progress {
    const { up, failed, frames, bytes } = this.#tally;
    return { arrived: this.#arrived, up, failed, frames, bytes };
  }

  #measure(): void {
    const { frames, bytes } = this.#tally;
    this.#tally.measuring = true;
    this.#loopUs.clear();
    const atMs = performance.now();
    this.#from = { frames, bytes, sent: this.#sent.frames, atMs, cpuMs: ownCpuMs() };
  }

  #measured(): Window {
    const from = this.#from;
    const { frames, bytes } = this.#tally;
    this.#tally.measuring = false;
    const cpuMs = ownCpuMs();
    const percent = cpuMs === undefined || from.cpuMs === undefined
      ? {}
      : { cpuPercent: 100 * (cpuMs - from.cpuMs) / (performance.now() - from.atMs) };
    for (const viewer of this.#viewers) viewer.mark();
    return {
      frames: frames - from.frames,
      bytes: bytes - from.bytes,
      sent: this.#sent.frames - from.sent,
      load: { ...percent, loopUs: this.#loopUs.toJSON() },
    };
  }

  async #settle(last: LastGroups) {
    // From now on no viewer comes back.
    this.#ending.abort();
    const giveUpMs = performance.now() + SETTLE_MS;
    while (performance.now() < giveUpMs && !this.#viewers.every((v) => v.settled(last))) {
      await sleep(50);
    }
    for (const viewer of this.#viewers) viewer.end(last);
    for (const publisher of this.#publishers) publisher.close();
    // The closes take a moment to leave.
    await sleep(200);
    return this.#tally.toJSON();
  }
}

/** Does `count` things, a few at a time. The first failure ends it. */
async function inTurn(count: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const line = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: Math.min(DIALING, count) }, line));
}

/** The target with its port raised by so many: where a worker of the relay listens. */
function behind(target: LightTarget, ports: number): LightTarget {
  const url = new URL(target.url);
  url.port = String(Number(url.port || 443) + ports);
  return { ...target, url: url.href };
}
