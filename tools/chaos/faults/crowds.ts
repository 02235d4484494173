/** Peers that follow the protocol and are still a burden. */
import { sleep } from "../../../base/sleep.ts";
import { dialLight } from "../../../load/light_session.ts";
import type { LightSession } from "../../../load/light.ts";
import { type Client, connect } from "../../../client/mod.ts";
import type { TransportSettings } from "../../../transport/quic/quic_settings.ts";
import type { Connection } from "../../../transport/connection.ts";
import type { Fault, Stage } from "../fault.ts";
import { usualTarget } from "../target.ts";
import { knock, loops, number, within } from "../peers.ts";

const STORM = 10_000;

/** A client that may do anything. The caller closes it. */
export function guest({ relay }: Stage, scheme: "moqt" | "https" = "moqt"): Promise<Client> {
  return connect(`${scheme}://127.0.0.1:${relay.port}/`, { hash: relay.hash });
}

export function light(
  { relay, signal }: Stage,
  transport: TransportSettings = {},
): Promise<LightSession> {
  const url = `moqt://127.0.0.1:${relay.port}/`;
  return dialLight({ url, hash: relay.hash }, { transport, signal });
}

export const announceStorm: Fault = {
  name: "announce-storm",
  what:
    "10,000 broadcasts of one publisher announced, withdrawn and announced again, all heard by a listener",
  counters: ["qumo_sessions_opened_total"],
  async run(stage) {
    const storm = Math.round(STORM * stage.scale);
    const publisher = await guest(stage);
    const listener = await guest(stage);
    let heard = 0;
    const listening = (async () => {
      for await (const { path } of listener.announced("storm")) if (path !== "") heard++;
    })().catch(() => {});
    let rounds = 0;
    while (!stage.signal.aborted) {
      const broadcasts = Array.from({ length: storm }, (_, i) => publisher.publish(`storm/${i}`));
      const wanted = heard + storm;
      while (heard < wanted && !stage.signal.aborted) await sleep(20);
      for (const broadcast of broadcasts) broadcast.close();
      const gone = heard + storm;
      while (heard < gone && !stage.signal.aborted) await sleep(20);
      rounds++;
    }
    await publisher.close();
    await listener.close();
    await listening;
    return `${number(rounds)} rounds, ${number(heard)} announcements heard`;
  },
};

export const subscribeChurn: Fault = {
  name: "subscribe-churn",
  what:
    "viewers that subscribe to the honest track, leave it within milliseconds, and subscribe again",
  counters: ["qumo_subscriptions_opened_total", "qumo_egress_groups_cut_total"],
  async run(stage) {
    const sessions = await Promise.all(Array.from({ length: 8 }, () => light(stage)));
    for (const session of sessions) void dropGroups(session);
    let turns = 0;
    await Promise.all(sessions.map((session) =>
      loops(stage.signal, 1, async (id) => {
        const { broadcast, track } = stage.honest;
        const { cancel } = await session.subscribe(id, broadcast, track);
        await sleep(id % 8);
        cancel();
        turns++;
      })
    ));
    for (const session of sessions) session.close();
    return `${number(turns)} subscriptions`;
  },
};

async function dropGroups(session: LightSession): Promise<void> {
  for (let stream; (stream = await session.acceptGroup());) stream.stop(0);
}

export const deafViewers: Fault = {
  name: "deaf-viewers",
  what: "30 viewers that subscribe and never read, with hardly any room for streams",
  counters: [
    "qumo_egress_groups_skipped_total",
    "qumo_egress_groups_cut_total",
    "qumo_sessions_closed_total",
  ],
  async run(stage) {
    const viewers = Math.max(1, Math.round(30 * stage.scale));
    const turns = await loops(stage.signal, viewers, async () => {
      const session = await light(stage, { maxUniStreams: 3 });
      const { broadcast, track } = stage.honest;
      await session.subscribe(0, broadcast, track);
      // The relay may close it. Then the next one comes.
      await Promise.race([session.closed, sleep(2 ** 30, stage.signal)]);
      session.close();
    });
    return `${number(turns)} sessions`;
  },
};

export const tooMany: Fault = {
  name: "too-many-sessions",
  what:
    "peers that want more sessions than one address may have, 60 here, and come again when they are refused",
  counters: ["qumo_refused_total", "qumo_webtransport_answers_total"],
  open: () => usualTarget(["--limits.max_sessions_per_address", "60"]),
  async run(stage) {
    const stay: Connection[] = [];
    const turns = await loops(stage.signal, 8, async () => {
      const connection = await knock(stage, "webtransport", "moq-lite-04");
      stay.push(connection);
    });
    for (const connection of stay) connection.close();
    return `${number(turns)} attempts`;
  },
};

const HOARD_TRACKS = 8;

export const hoarder: Fault = {
  name: "hoarder",
  what:
    "a publisher that fills the cache with 20 MB a second, of which 32 MB may be kept here, and who reads it",
  counters: ["qumo_ingress_groups_total", "qumo_egress_groups_skipped_total"],
  open: () => usualTarget(["--limits.max_cache_bytes", "32MB"]),
  async run(stage) {
    const publisher = await guest(stage);
    const reader = await light(stage);
    void dropGroups(reader);
    const path = `hoard/${stage.seed}`;
    const broadcast = publisher.publish(path);
    const tracks = Array.from({ length: HOARD_TRACKS }, (_, i) => broadcast.track(`track${i}`));
    await sleep(500);
    for (const [i, { name }] of tracks.entries()) await reader.subscribe(i, path, name);
    const frame = new Uint8Array(128 * 1024).fill(0x71);
    let groups = 0;
    while (!stage.signal.aborted) {
      for (const track of tracks) {
        track.write(frame);
        groups++;
      }
      await sleep(50);
    }
    reader.close();
    await publisher.close();
    return `${number(groups)} groups of 128 KB`;
  },
};

/** A publisher in its own process, and a viewer in this one. */
export const dyingPublishers: Fault = {
  name: "dying-publishers",
  what: "publishers killed with SIGKILL in the middle of a frame, while somebody watches",
  counters: [
    "qumo_sessions_lost_total",
    "qumo_ingress_groups_cut_total",
    "qumo_egress_groups_cut_total",
  ],
  async run(stage) {
    const { relay, seed } = stage;
    const viewer = await guest(stage);
    let deaths = 0;
    let cut = 0;
    await loops(stage.signal, 2, async (turn) => {
      const path = `dying/${seed}-${turn}`;
      const publisher = new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "-A", "--unstable-net", import.meta.resolve("./dying_publisher.ts")],
          ...[`moqt://127.0.0.1:${relay.port}/`, relay.hash, path],
        ],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      try {
        await within(10_000, heardOf(viewer, path));
        const watching = watchUntilEnd(viewer, path).then((n) => cut += n);
        await sleep(300 + turn % 7 * 30);
        publisher.kill("SIGKILL");
        deaths++;
        // The relay notices it only by the idle timeout. The next publisher comes before that.
        void watching;
        await sleep(500);
      } finally {
        await publisher.status;
      }
    });
    await viewer.close();
    return `${number(deaths)} deaths, ${number(cut)} groups cut off for who watched`;
  },
};

/** Waits until a client has heard of a broadcast, or is closed. */
async function heardOf(client: Client, broadcast: string): Promise<void> {
  for await (const { path, active } of client.announced()) {
    if (path === broadcast && active) return;
  }
}

/** @returns How many groups were cut. */
async function watchUntilEnd(viewer: Client, path: string): Promise<number> {
  let cut = 0;
  try {
    for await (const group of viewer.subscribe(path, "big")) {
      try {
        for await (const _frame of group);
      } catch {
        cut++;
      }
    }
  } catch { // The broadcast is gone, as intended.
  }
  return cut;
}
