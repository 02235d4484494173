/** What one peer sends, with or without a token, to make the relay hold too much. */
import { sleep } from "../../../base/sleep.ts";
import { AnnounceInit } from "../../../wire/lite/announce.ts";
import { BIDI, UNI } from "../../../wire/lite/dialect.ts";
import { Subscribe6 } from "../../../wire/lite/subscribe.ts";
import { framed } from "../../../wire/message.ts";
import { putVarint } from "../../../wire/varint.ts";
import type { Connection } from "../../../transport/connection.ts";
import type { Fault, Stage } from "../fault.ts";
import { alpnOf, greet, hold, knock, loops, number, within } from "../peers.ts";

const MB = 1 << 20;
const LIMITED = ["qumo_malformed_total", "qumo_session_violations_total"];

/** How long a peer stays if the relay lets it. */
const STAY_MS = 2000;

/** A type and a length, then the payload without its end. */
function half(type: number, length: number, missing: number): Uint8Array {
  const bytes = new Uint8Array(length + 9 - missing);
  return bytes.subarray(0, putVarint(bytes, putVarint(bytes, 0, type), length) + length - missing);
}

/** Writes on a stream of its own. @returns Whether the relay gave it one. */
async function say(connection: Connection, kind: "uni" | "bidi", bytes: Uint8Array) {
  const opening = kind === "uni"
    ? connection.openUni().then((send) => ({ send }))
    : connection.openBidi();
  const stream = await within(500, opening);
  if (stream === undefined) return false;
  hold(connection, stream);
  stream.send.write(bytes);
  return true;
}

/** Stays as long as the relay lets it. */
async function stay(connection: Connection, signal: AbortSignal): Promise<void> {
  await Promise.race([connection.closed, sleep(STAY_MS, signal)]);
  connection.close();
}

export const halfRequests: Fault = {
  name: "half-requests",
  what: "one viewer after another with 90 SUBSCRIBE and 210 GROUP heads that miss their last 16 " +
    "bytes: of 1 MiB, then of as much as is taken",
  counters: LIMITED,
  async run(stage) {
    let streams = 0;
    await loops(stage.signal, 1, async (turn) => {
      const connection = await knock(stage, "quic", alpnOf(6));
      await greet(connection, 6);
      const large = turn % 2 === 0;
      const subscribe = half(BIDI.subscribe, large ? MB : 8192, 16);
      const group = half(UNI.group, large ? MB : 64, 16);
      for (let i = 0; i < 300; i++) {
        const bidi = i % 10 < 3;
        if (!await say(connection, bidi ? "bidi" : "uni", bidi ? subscribe : group)) break;
        streams++;
      }
      await stay(connection, stage.signal);
    });
    return `${number(streams)} half messages`;
  },
};

/** An ANNOUNCE_START of 06 with any name, as it is sent on the announce stream. */
function start(name: Uint8Array): Uint8Array {
  const body = new Uint8Array(name.length + 11);
  let at = putVarint(body, 0, name.length);
  body.set(name, at);
  at += name.length;
  return framed(body.subarray(0, at + 3), 0); // no hops, costs 0
}

export const longNames: Fault = {
  name: "long-names",
  what:
    "60 announcements with names of 1 MiB and of 1 KB, and 80 subscriptions to tracks of such " +
    "names that are left at once",
  counters: [...LIMITED, "qumo_subscriptions_opened_total"],
  async run(stage) {
    let announced = 0;
    let asked = 0;
    await loops(stage.signal, 1, async (turn) => {
      const bytes = turn % 2 === 0 ? MB : 1000;
      const connection = await knock(stage, "quic", alpnOf(6));
      await greet(connection, 6);
      const news = await within(1000, connection.acceptBidi());
      if (news === undefined) throw new Error("nobody asks for announcements");
      hold(connection, news);
      news.send.write(Uint8Array.fromHex("0343e800"));
      for (let i = 0; i < 60; i++) {
        news.send.write(start(new TextEncoder().encode(`${i}`.padEnd(bytes, "n"))));
        announced++;
      }
      for (let i = 0; i < 80; i++) {
        const send = await within(500, subscribe(connection, stage, i, bytes));
        if (send === undefined) break;
        asked++;
      }
      await stay(connection, stage.signal);
    });
    return `${number(announced)} announcements, ${number(asked)} subscriptions`;
  },
};

/** Subscribes to a track that does not exist, and leaves. */
async function subscribe(connection: Connection, stage: Stage, id: number, bytes: number) {
  const body = Subscribe6.encode({
    ...{ id, broadcast: stage.honest.broadcast, track: `${id}`.padEnd(1000, "t"), priority: 0 },
    ...{ ordered: undefined, maxLatencyMs: 0, startGroup: undefined, endGroup: undefined },
    ...{ startFrame: 0, endFrame: undefined },
  });
  const { send, receive } = await connection.openBidi();
  hold(connection, send);
  if (bytes < MB) send.write(framed(body, BIDI.subscribe));
  else send.write(half(BIDI.subscribe, MB, 0));
  send.finish();
  receive.stop(0);
  return send;
}

export const beforeSetup: Fault = {
  name: "before-setup",
  what: "one connection after another that never says SETUP and sends 1 MB on each of up to 600 " +
    "streams",
  counters: ["qumo_handshake_failures_total"],
  async run(stage) {
    let streams = 0;
    const group = half(UNI.group, MB, 16);
    const request = half(BIDI.subscribe, MB, 16);
    await loops(stage.signal, 1, async () => {
      const connection = await knock(stage, "quic", alpnOf(6));
      for (let i = 0; i < 600; i++) {
        if (!await say(connection, i % 6 === 0 ? "bidi" : "uni", i % 6 === 0 ? request : group)) {
          break;
        }
        streams++;
      }
      await stay(connection, stage.signal);
    });
    return `${number(streams)} streams`;
  },
};

export const announceInits: Fault = {
  name: "announce-init",
  what:
    "publishers of the oldest versions whose ANNOUNCE_INIT has 50,000 paths, one of them over " +
    "and over, or a million",
  counters: ["qumo_malformed_total"],
  async run(stage) {
    const wide = AnnounceInit.encode({
      suffixes: Array.from({ length: 50_000 }, (_, i) => `${i}`),
    });
    const same = AnnounceInit.encode({ suffixes: Array.from({ length: 50_000 }, () => "a") });
    const million = new Uint8Array(MB + 4);
    putVarint(million, 0, MB);
    const bodies = [wide, same, million];
    const turns = await loops(stage.signal, 1, async (turn) => {
      const connection = await knock(stage, "quic", "moql");
      const session = await connection.openBidi();
      hold(connection, session);
      session.send.write(Uint8Array.fromHex("20000a01c0000000ff0dad0200"));
      const news = await within(1000, connection.acceptBidi());
      if (news === undefined) throw new Error("nobody asks for announcements");
      hold(connection, news);
      news.send.write(framed(bodies[turn % bodies.length]!));
      await stay(connection, stage.signal);
    });
    return `${number(turns)} publishers`;
  },
};
