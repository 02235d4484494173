/** Random and mutated bytes on every kind of stream, from the arbitraries of the property tests. */
import { sleep } from "../../base/sleep.ts";
import fc from "fast-check";
import {
  hostileIetfVisit,
  type HostileStream,
  hostileVisit,
} from "../../tests/support/peers/hostile_streams.ts";
import type { Connection, ReceiveStream, SendStream } from "../../transport/connection.ts";
import { connectAlpn } from "../../transport/quic/quic.ts";
import { dialectOf } from "../../wire/ietf/dialect.ts";
import { type Profile, PROFILES } from "../../wire/ietf/profile.ts";
import { DIALECTS } from "../../wire/lite/dialect.ts";
import type { Fault, Stage } from "./fault.ts";
import { alpnOf, greet, hold, knock, loops, number, type Way, within } from "./peers.ts";

const VERSIONS = DIALECTS.map(({ version }) => version);
/** Drafts that the protocol's name settles. */
const DRAFTS = PROFILES.filter(({ setupVersion }) => setupVersion === undefined);
const AT_A_TIME = 4;
const LINGER_MS = 30;
const COUNTERS = [
  "qumo_malformed_total",
  "qumo_session_violations_total",
  "qumo_handshake_failures_total",
  "qumo_streams_refused_total",
  "qumo_sessions_opened_total",
];

export function bytesOver(way: Way): Fault {
  const label = { quic: "raw QUIC", webtransport: "WebTransport", websocket: "WebSocket" }[way];
  return {
    name: `bytes-${way}`,
    what:
      `random and mutated bytes on streams and datagrams over ${label}, all versions of both protocols`,
    counters: COUNTERS,
    length: 3,
    run: (stage) =>
      visits(stage, async (visit, turn) => {
        const version = VERSIONS[turn % VERSIONS.length]!;
        const draft = turn % 2 === 0 ? DRAFTS[(turn >> 1) % DRAFTS.length] : undefined;
        const connection = await knock(stage, way, draft?.alpn ?? alpnOf(version));
        // Every third peer sends its bytes in place of the handshake.
        const hello = () => draft ? setUp(connection, draft) : greet(connection, version);
        if (turn % 3 !== 0) await within(1000, hello());
        return [connection, await speak(connection, visit)];
      }),
  };
}

/** Bytes below WebTransport, which HTTP/3 reads. */
export const bytesOverH3: Fault = {
  name: "bytes-h3",
  what: "the same below WebTransport: on the streams of HTTP/3, before any request",
  counters: ["qumo_handshake_failures_total", "qumo_webtransport_answers_total"],
  run: (stage) =>
    visits(stage, async (visit, turn) => {
      const { relay, signal } = stage;
      const connection = await connectAlpn(new URL(relay.url), ["h3"], {
        protocols: [],
        hash: Uint8Array.fromHex(relay.hash),
        signal,
      });
      // Every second time valid SETTINGS come first.
      if (turn % 2 === 0) hold(connection, await opened(connection, "00040433010801"));
      return [connection, await speak(connection, visit)];
    }),
};

/** SETUP of moq-transport. */
async function setUp(connection: Connection, profile: Profile): Promise<void> {
  const named = connection.kind === "quic" ? { path: "/", authority: "localhost" } : {};
  const bytes = dialectOf(profile).encode("clientSetup", { versions: [], options: named });
  const uni = profile.control === "uni";
  const stream = uni ? await connection.openUni() : (await connection.openBidi()).send;
  hold(connection, stream);
  stream.write(bytes);
}

async function opened(connection: Connection, hex: string): Promise<object> {
  const stream = await connection.openUni();
  stream.write(Uint8Array.fromHex(hex));
  return stream;
}

/** Repeats visits until the fault ends. */
async function visits(
  { signal, seed }: Stage,
  go: (visit: HostileStream[], turn: number) => Promise<[Connection, number]>,
): Promise<string> {
  let streams = 0;
  let batch: HostileStream[][] = [];
  let drawn = 0;
  const turns = await loops(signal, AT_A_TIME, async (turn) => {
    if (batch.length === 0) {
      const visits = fc.oneof(hostileVisit, hostileIetfVisit);
      batch = fc.sample(visits, { seed: seed + drawn++, numRuns: 256 });
    }
    const [connection, said] = await go(batch.pop()!, turn);
    streams += said;
    await within(LINGER_MS, connection.closed);
    connection.close();
  });
  return `${number(streams)} streams of ${number(turns)} peers`;
}

/** @returns How many streams the relay let the peer open. */
async function speak(connection: Connection, visit: readonly HostileStream[]): Promise<number> {
  let streams = 0;
  void answerAll(connection, visit);
  for (const { uni, bytes, end } of visit) {
    const opening: Promise<{ send: SendStream; receive?: ReceiveStream }> = uni
      ? connection.openUni().then((send) => ({ send }))
      : connection.openBidi();
    const stream = await within(1000, opening);
    if (stream === undefined) break;
    hold(connection, stream);
    stream.send.write(bytes);
    if (end === "fin") stream.send.finish();
    if (end === "reset") stream.send.reset(7);
    if (end === "stop") stream.receive?.stop(7);
    connection.sendDatagram(bytes);
    streams++;
    if (bytes.length % 3 === 0) await sleep(1);
  }
  return streams;
}

/** Answers the relay's requests with the same bytes. */
async function answerAll(connection: Connection, visit: readonly HostileStream[]): Promise<void> {
  for (let i = 0;; i++) {
    const stream = await connection.acceptBidi();
    if (stream === undefined) return;
    hold(connection, stream);
    const { bytes, end } = visit[i % visit.length]!;
    stream.send.write(bytes.subarray(1));
    if (end === "fin") stream.send.finish();
  }
}

/** Packets that belong to no connection. */
export const udpNoise: Fault = {
  name: "udp-noise",
  what:
    "UDP packets of random bytes, and QUIC long headers with random insides, at the public port",
  counters: ["qumo_handshake_failures_total"],
  async run({ relay, signal }) {
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const to = { transport: "udp", hostname: "127.0.0.1", port: relay.port } as const;
    let sent = 0;
    await loops(signal, 1, async () => {
      const packet = crypto.getRandomValues(new Uint8Array(1200));
      const kind = sent % 4;
      // In turn: a long header of version 1 with connection ids of 8 bytes, an unknown version, noise.
      if (kind < 2) packet.set([0xc0 | (packet[0]! & 0x3f), 0, 0, 0, kind === 0 ? 1 : 0xba, 8]);
      if (kind === 0) packet.set([8], 14);
      await socket.send(kind === 3 ? packet.subarray(0, packet[0]! + 1) : packet, to);
      if (++sent % 20 === 0) await sleep(10);
    });
    socket.close();
    return `${number(sent)} packets`;
  },
};
