/** `kill -9` of the whole relay, again and again, and clients that reconnect to the relay started in its place. */
import { sleep } from "../../../base/sleep.ts";
import { type Client, connect, type ConnectOptions } from "../../../client/mod.ts";
import { startRelay } from "../../../tests/support/program.ts";
import { V8_FLAGS } from "../../ship/v8_flags.ts";
import type { WholeFault } from "../fault.ts";
import type { Outcome } from "../outcome.ts";
import { number } from "../peers.ts";

const VIEWERS = 10;
/** Every group has one frame. */
const PERIOD_MS = 50;
const LASTING: ConnectOptions = {
  reconnect: { minMs: 50, maxMs: 500 },
  timeoutMs: 2000,
  groupCacheSize: 256,
  transport: { idleTimeoutMs: 2000, keepAliveMs: 500 },
};

const WHAT =
  "kill -9 of the whole relay, which is started again on its port; publisher and viewers reconnect";

export const killedRelay: WholeFault = {
  name: "killed-relay",
  async whole(seconds): Promise<Outcome> {
    const dir = await Deno.makeTempDir({ prefix: "qumo-relay-chaos-" });
    const open = (port: number) =>
      startRelay(["--server.address", `127.0.0.1:${port}`, "--server.cert_dir", dir], {
        runFlags: [V8_FLAGS],
      });
    let relay = await open(0);
    const { port, hash } = relay;
    const url = `moqt://127.0.0.1:${port}/`;
    const options = { ...LASTING, hash };
    const publisher = await connect(url, options);
    const track = publisher.publish("live").track("numbers", { maxAgeMs: 30_000 });
    const viewers = await Promise.all(Array.from({ length: VIEWERS }, () => connect(url, options)));
    const counts = viewers.map(count);
    const writing = setInterval(() => track.write("x"), PERIOD_MS);
    let kills = 0;
    let longestMs = 0;
    const endMs = performance.now() + seconds * 1000;
    try {
      while (performance.now() < endMs) {
        await sleep(3000);
        relay.process.kill("SIGKILL");
        await relay[Symbol.asyncDispose]();
        const killedMs = performance.now();
        const written = track.nextGroup;
        relay = await open(port);
        kills++;
        while (counts.some(({ newest }) => newest < written)) {
          if (performance.now() - killedMs > 60_000) break;
          await sleep(20);
        }
        longestMs = Math.max(longestMs, performance.now() - killedMs);
      }
      clearInterval(writing);
      const last = track.nextGroup - 1;
      for (let i = 0; i < 200 && counts.some(({ newest }) => newest < last); i++) await sleep(50);
      const judged = counts.map(({ groups, first }) => ({
        seen: groups.size,
        lost: last - first + 1 - groups.size,
      }));
      const lost = judged.reduce((sum, one) => sum + one.lost, 0);
      return {
        name: "killed-relay",
        what: WHAT,
        done: `${number(kills)} kills; new groups everywhere at most ` +
          `${number(Math.round(longestMs))} ms after, start of the relay included`,
        seconds,
        groups: { seen: judged.reduce((sum, one) => sum + one.seen, 0), lost, cut: 0 },
        counters: {},
        problems: lost > 0 ? [`${lost} groups of clients that reconnect were lost`] : [],
      };
    } finally {
      clearInterval(writing);
      await Promise.all([publisher, ...viewers].map((client) => client.close()));
      await relay[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    }
  },
};

interface Count {
  /** Groups that arrived whole. */
  readonly groups: Set<number>;
  first: number;
  newest: number;
}

function count(viewer: Client): Count {
  const counted: Count = { groups: new Set(), first: Infinity, newest: -1 };
  const subscription = viewer.subscribe("live", "numbers", {
    ordered: true,
    maxLatencyMs: 30_000,
  });
  void (async () => {
    for await (const group of subscription) {
      for await (const _frame of group);
      counted.groups.add(group.sequence);
      counted.first = Math.min(counted.first, group.sequence);
      counted.newest = Math.max(counted.newest, group.sequence);
    }
  })().catch(() => {});
  return counted;
}
