/** Viewers and publishers that were let in and use the protocol at its worst. */
import { AnnounceEncoder } from "../../../session/lite/announce_codec.ts";
import { DIALECTS } from "../../../wire/lite/dialect.ts";
import { crowd } from "../costs.ts";
import { light } from "./crowds.ts";
import type { Fault } from "../fault.ts";
import { alpnOf, greet, hold, knock, within } from "../peers.ts";
import { fill, halfSent } from "./strangers.ts";

/** docs/reliability.md */
const BOUND_MB = 8;
const MIB = 1 << 20;
const HALF_BYTES = 128 * 1024;
const GROUP = halfSent([0x00], MIB, HALF_BYTES);
const SUBSCRIBE = halfSent([0x02], MIB, HALF_BYTES);

export const viewersHalfSent: Fault = crowd({
  name: "viewers-half-sent",
  what: "viewers with 90 requests and 210 groups each that claim 1 MiB, and of which 128 KB come",
  counters: ["qumo_session_violations_total", "qumo_streams_refused_total"],
  count: 12,
  boundMb: BOUND_MB,
  async one(stage) {
    const connection = await knock(stage, "quic", alpnOf(6));
    await greet(connection, 6);
    await fill(connection, { uni: GROUP, bidi: SUBSCRIBE }, 210).catch(() => {});
    return connection;
  },
});

const nameOf = (i: number, bytes: number) => `${i}-`.padEnd(bytes, "n");
const VIEWER_NAMES = 80;
const CHURN = 400;

export const viewersNames: Fault = crowd({
  name: "viewers-names",
  what:
    "viewers that read nothing: 80 subscriptions with names of 1,000 bytes that stay, 400 that are left, one of 512 KB",
  counters: ["qumo_session_violations_total", "qumo_subscriptions_opened_total"],
  count: 30,
  boundMb: BOUND_MB,
  async one(stage, i) {
    const session = await light(stage, { maxUniStreams: 3 });
    const { broadcast } = stage.honest;
    const ask = (n: number, path: string, track: string) =>
      within(500, session.subscribe(n, path, track)).catch(() => undefined);
    for (let n = 0; n < VIEWER_NAMES; n++) await ask(n, broadcast, nameOf(n, 1000));
    for (let n = VIEWER_NAMES; n < VIEWER_NAMES + CHURN; n++) {
      (await ask(n, nameOf(i, 1000), nameOf(n, 1000)))?.cancel();
    }
    await ask(VIEWER_NAMES + CHURN, broadcast, nameOf(i, MIB / 2));
    return session;
  },
});

const DIALECT = DIALECTS.find(({ version }) => version === 6)!;
const PUBLISHER_NAMES = 1000;

export const publishersNames: Fault = crowd({
  name: "publishers-names",
  what: "publishers with 1,000 broadcasts of 1,000 bytes of name each, which nobody watches",
  counters: ["qumo_session_violations_total"],
  count: 20,
  boundMb: BOUND_MB,
  async one(stage, i) {
    const connection = await knock(stage, "quic", DIALECT.name);
    await greet(connection, DIALECT.version);
    // The relay asks for announcements.
    const asked = await within(2000, connection.acceptBidi());
    if (asked === undefined) throw new Error("the relay asks for no announcements");
    hold(connection, asked);
    const names = Array.from({ length: PUBLISHER_NAMES }, (_, n) => ({
      suffix: nameOf(i * PUBLISHER_NAMES + n, 1000),
      route: { hops: [], warm: 0, cold: 0 },
    }));
    const encoder = new AnnounceEncoder(DIALECT, BigInt(i + 1));
    for (const bytes of encoder.begin(names)) asked.send.write(bytes);
    return connection;
  },
});
