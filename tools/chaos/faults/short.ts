/** The most telling faults, one after the other on one relay, each for a moment. Every run of the tests applies them. */
import { bytesOver, bytesOverH3 } from "../bytes.ts";
import { announceStorm, deafViewers, subscribeChurn } from "./crowds.ts";
import type { Fault } from "../fault.ts";
import { giantNumbers, streamFlood } from "./floods.ts";
import { grown } from "../gauges.ts";
import { halfOpen, slowHandshakes } from "./handshakes.ts";
import { HonestLoad } from "../honest.ts";
import type { Outcome } from "../outcome.ts";
import { usualTarget } from "../target.ts";
import { GAUGES, Watch } from "../watch.ts";

const FAULTS: readonly Fault[] = [
  bytesOver("quic"),
  bytesOver("webtransport"),
  bytesOver("websocket"),
  bytesOverH3,
  giantNumbers,
  streamFlood,
  slowHandshakes,
  halfOpen,
  announceStorm,
  subscribeChurn,
  deafViewers,
];
const EACH_MS = 1000;
const VIEWERS = 4;
const SCALE = 0.05;
const RETURN_MS = 60_000;

export async function shortRound(seed: number): Promise<Outcome> {
  await using relay = await usualTarget(["--server.handshake_timeout", "2s"]);
  await using load = new HonestLoad({ url: relay.url, prefix: "honest", viewers: VIEWERS });
  const watch = new Watch(relay.adminUrl);
  await watch.until((gauges) => gauges.get("qumo_sessions") === VIEWERS + 1, RETURN_MS);
  const before = watch.last;
  const done: string[] = [];
  for (const fault of FAULTS) {
    const signal = AbortSignal.timeout(EACH_MS);
    done.push(
      `${fault.name}: ${await fault.run({
        relay,
        honest: load,
        signal,
        seed,
        scale: SCALE,
        tell: () => {},
      })}`,
    );
  }
  const level = await watch.until(
    (gauges) => GAUGES.every((name) => (gauges.get(name) ?? 0) <= before.get(name)!),
    RETURN_MS,
  );
  const { groups, viewers } = await load.end();
  const { seen, lost, cut } = groups;
  const ended = viewers.lostSessions + viewers.failed;
  return {
    name: "short",
    what: "all of these",
    done: done.join("\n  "),
    seconds: FAULTS.length * EACH_MS / 1000,
    groups: { seen, lost, cut },
    counters: grown(before, watch.last, FAULTS.flatMap(({ counters }) => counters)),
    problems: [
      ...(level ? [] : ["sessions, broadcasts or subscriptions are left"]),
      ...(seen === 0 ? ["honest viewers saw nothing"] : []),
      ...(lost + cut > 0 ? [`honest viewers: ${lost} groups lost, ${cut} cut off`] : []),
      ...(ended > 0 ? [`${ended} honest sessions ended`] : []),
    ],
  };
}
