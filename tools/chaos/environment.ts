/** What goes wrong around the relay: its clock, its disk, its threads, the network. */
import { sleep } from "../../base/sleep.ts";
import { startRelay } from "../../tests/support/program.ts";
import { connect } from "../../client/mod.ts";
import { V8_FLAGS } from "../ship/v8_flags.ts";
import { fromFileUrl } from "../file_url.ts";
import { BadPath } from "./faults/bad_path.ts";
import type { Fault } from "./fault.ts";
import { readGauges } from "./gauges.ts";
import { HonestLoad } from "./honest.ts";
import { number } from "./peers.ts";
import { targetWithLog } from "./target.ts";
import { randomOf } from "../../load/figures/range.ts";

const HOUR = 3_600_000;
/** How far the wall clock is ahead in each step, in milliseconds. The certificate made at the start lasts 13 days. */
const JUMPS = [HOUR, -2 * HOUR, 24 * HOUR, -48 * HOUR, 15 * 24 * HOUR, 0, 365 * 24 * HOUR, 0];

export function clockJumps(dir: string): Fault {
  const file = `${dir}/clock`;
  const preload = fromFileUrl(new URL("./faults/jumping_clock.ts", import.meta.url));
  return {
    name: "clock-jumps",
    what: "the relay's wall clock jumps by hours, days and a year, forwards and backwards",
    counters: ["qumo_sessions_closed_total"],
    open: () => {
      Deno.writeTextFileSync(file, "0");
      return startRelay([], {
        runFlags: [V8_FLAGS, "--preload", preload],
        env: { QUMO_CHAOS_CLOCK: file },
      });
    },
    async run({ signal, relay }) {
      let jumps = 0;
      while (!signal.aborted) {
        await Deno.writeTextFile(file, String(JUMPS[jumps++ % JUMPS.length]!));
        await sleep(1000, signal);
        await readGauges(relay.adminUrl);
      }
      await Deno.writeTextFile(file, "0");
      return `${number(jumps)} jumps`;
    },
  };
}

export function fullDisk(dir: string): Fault {
  return {
    name: "full-disk",
    what:
      "standard error goes to a file on a full disk, at log level debug, while viewers come and go",
    counters: ["qumo_sessions_opened_total"],
    open: () => targetWithLog(dir, ["--logging.level", "debug"]),
    async run({ signal, relay }) {
      const filler = `${dir}/filler`;
      let sessions = 0;
      while (!signal.aborted) {
        try {
          await Deno.writeFile(filler, new Uint8Array(64 * 1024), { append: true });
        } catch { // Full.
        }
        const client = await connect(`moqt://127.0.0.1:${relay.port}/`, { hash: relay.hash });
        await client.close();
        sessions++;
        await sleep(20);
      }
      return `${number(sessions)} sessions that wanted to be logged`;
    },
  };
}

export function dyingWorkers(dir: string): Fault {
  const worker = "qumo-relay worker 1";
  const script = fromFileUrl(
    new URL("../../tests/support/programs/mortal_worker.js", import.meta.url),
  );
  return {
    name: "dying-workers",
    what:
      "one of two worker threads throws, again and again; the honest peers are on the other, a client that " +
      "reconnects on the one that dies",
    counters: ["qumo_sessions_lost_total", "qumo_sessions_opened_total"],
    open: () =>
      startRelay(["--server.workers", "2"], {
        script,
        runFlags: [V8_FLAGS],
        env: { QUMO_TEST_KILL_DIR: dir },
      }),
    async run({ signal, relay, honest }) {
      const url = `moqt://127.0.0.1:${relay.port + 1}/`;
      const client = await connect(url, {
        hash: relay.hash,
        reconnect: { minMs: 50, maxMs: 500 },
        transport: { idleTimeoutMs: 2000, keepAliveMs: 500 },
      });
      let groups = 0;
      const watching = (async () => {
        for await (const group of client.subscribe(honest.broadcast, honest.track)) {
          groups++;
          void group;
        }
      })().catch(() => {});
      let deaths = 0;
      while (!signal.aborted) {
        await sleep(5000, signal);
        if (signal.aborted) break;
        await Deno.writeTextFile(`${dir}/${worker}`, "");
        deaths++;
        // The relay is back when the client gets groups again.
        const before = groups;
        for (let i = 0; i < 200 && groups < before + 3; i++) await sleep(100);
      }
      await client.close();
      await watching;
      return `${number(deaths)} deaths; ${number(groups)} groups by the one that dies`;
    },
  };
}

const WEATHER = { lossPercent: 5, delayMs: 50, jitterMs: 20 } as const;

export const badNetwork: Fault = {
  name: "bad-network",
  what:
    `a publisher and 10 viewers beside the honest ones on a path that loses ${WEATHER.lossPercent} % of ` +
    `packets, delays them by ${WEATHER.delayMs} ± ${WEATHER.jitterMs} ms and lets them overtake each other`,
  counters: ["qumo_sessions_lost_total", "qumo_egress_groups_skipped_total"],
  length: 2,
  async run({ relay, signal, seed }) {
    using path = new BadPath(relay.port, WEATHER, randomOf(seed));
    await using load = new HonestLoad({
      url: `moqt://127.0.0.1:${path.port}/`,
      hash: relay.hash,
      prefix: `far-${seed}`,
      viewers: 10,
    });
    await sleep(2 ** 30, signal);
    const { groups, viewers, latencyMs } = await load.end();
    return `${number(path.passed)} packets passed, ${
      number(path.lost)
    } lost; its ${viewers.up} viewers: ` +
      `${number(groups.seen)} groups, ${groups.lost} lost, p99 ${Math.round(latencyMs.p99)} ms`;
  },
};
