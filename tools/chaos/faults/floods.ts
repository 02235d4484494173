/** Too many streams, and numbers that are too large. */
import { sleep } from "../../../base/sleep.ts";
import type { Connection } from "../../../transport/connection.ts";
import type { LiteVersion } from "../../../wire/lite/dialect.ts";
import type { Fault } from "../fault.ts";
import { alpnOf, greet, hold, knock, loops, number, uni, within } from "../peers.ts";

const FLOODERS = 4;
/** How many streams a flooder opens before it yields. */
const BURST = 50;

export const streamFlood: Fault = {
  name: "stream-flood",
  what:
    "peers that open streams as fast as they get credit, with half a message or none, and give them up",
  counters: ["qumo_malformed_total", "qumo_streams_refused_total", "qumo_session_violations_total"],
  async run(stage) {
    let streams = 0;
    await loops(stage.signal, FLOODERS, async (turn) => {
      const connection = await knock(stage, turn % 2 === 0 ? "quic" : "webtransport", alpnOf(6));
      await greet(connection, 6);
      let over = false;
      void connection.closed.then(() => over = true);
      while (!stage.signal.aborted && !over) {
        const opened = await within(2000, burst(connection));
        if (opened === undefined) break;
        streams += opened;
        await sleep(5);
      }
      connection.close();
    });
    return `${number(streams)} streams`;
  },
};

/** Sends no valid request: unknown types, groups that nobody subscribed to, requests without an end. */
async function burst(connection: Connection): Promise<number> {
  for (let i = 0; i < BURST; i++) {
    if (i % 2 === 0) {
      const send = await connection.openUni();
      send.write(Uint8Array.fromHex(i % 4 === 0 ? "3f" : "000300"));
      if (i % 3 === 0) send.finish();
      else send.reset(1);
    } else {
      const { send, receive } = await connection.openBidi();
      if (i % 3 === 0) send.write(Uint8Array.of(2));
      receive.stop(1);
      send.reset(1);
    }
  }
  return BURST;
}

const HUGE = "ffffffffffffffff";
const BILLION = "c000000040000000";

/** Lengths, ids and counts that fit no memory. */
const CLAIMS: readonly [version: LiteVersion, kind: "uni" | "bidi", hex: string][] = [
  ...["01", "02", "03", "06", "05", "04"].flatMap((type) =>
    [HUGE, BILLION].map((size) => [6, "bidi", `${type}${size}`] as [LiteVersion, "bidi", string])
  ),
  [6, "bidi", `020d${HUGE}01610176000000`],
  [6, "bidi", `0109${HUGE}00`],
  [5, "bidi", `0209${HUGE}`],
  [3, "bidi", `01${BILLION}`],
  [2, "bidi", `02${HUGE}`],
  [6, "uni", `0003000000${HUGE}${HUGE}`],
  [6, "uni", `000300000000${BILLION}`],
  [6, "uni", `00${HUGE}`],
  [4, "uni", `000200${HUGE}00`],
  [4, "uni", `00020000${BILLION}`],
  [6, "uni", `01${HUGE}`],
  [5, "uni", `010902${HUGE}`],
];

export const giantNumbers: Fault = {
  name: "giant-varints",
  what: "messages, frames and counts that claim 2^62-1 or 2^30 bytes",
  counters: [
    "qumo_malformed_total",
    "qumo_session_violations_total",
    "qumo_handshake_failures_total",
  ],
  async run(stage) {
    const turns = await loops(stage.signal, 4, async (turn) => {
      const [version, kind, hex] = CLAIMS[turn % CLAIMS.length]!;
      const connection = await knock(stage, turn % 5 === 0 ? "websocket" : "quic", alpnOf(version));
      await greet(connection, version);
      const bytes = Uint8Array.fromHex(hex);
      if (kind === "uni") await uni(connection, bytes);
      else {
        const stream = await connection.openBidi();
        hold(connection, stream);
        stream.send.write(bytes);
      }
      // A part of the promised bytes. The relay waits for the rest.
      connection.sendDatagram(bytes);
      await within(50, connection.closed);
      connection.close();
    });
    return `${number(turns)} claims`;
  },
};
