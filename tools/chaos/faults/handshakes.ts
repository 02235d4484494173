/** Peers that begin a handshake and never finish it. */
import { sleep } from "../../../base/sleep.ts";
import type { Connection } from "../../../transport/connection.ts";
import { connectAlpn } from "../../../transport/quic/quic.ts";
import type { Fault, Stage } from "../fault.ts";
import { hold, knock, loops, number, within } from "../peers.ts";

const encoder = new TextEncoder();
const COUNTERS = ["qumo_handshake_failures_total", "qumo_refused_total"];
/** How many handshakes begin at the same time. */
const AT_A_TIME = 16;

/** How many connections stay open until the round is over. */
async function keep(
  { signal, scale }: Stage,
  count: number,
  open: (i: number) => Promise<() => void>,
): Promise<number> {
  const closes: (() => void)[] = [];
  let next = 0;
  const all = Math.max(1, Math.round(count * scale));
  await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
    while (next < all && !signal.aborted) {
      const i = next++;
      const close = await within(15_000, open(i)).catch(() => undefined);
      if (close !== undefined) closes.push(close);
    }
  }));
  await sleep(2 ** 30, signal);
  for (const close of closes) close();
  return closes.length;
}

/** Passes on the first packet of a real handshake, and nothing after it in either direction. */
async function initialOnly({ relay }: Stage): Promise<() => void> {
  const local = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;
  const middle = Deno.listenDatagram(local);
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
  const dialing = Deno.connectQuic<false>({
    hostname: "127.0.0.1",
    port: (middle.addr as Deno.NetAddr).port,
    serverName: "localhost",
    alpnProtocols: ["moq-lite-06"],
    endpoint,
  });
  dialing.catch(() => {});
  const [packet] = await middle.receive();
  await middle.send(packet, { ...local, port: relay.port });
  endpoint.close();
  return () => middle.close();
}

/** A session that has sent half of its SETUP. */
async function halfSetup(stage: Stage): Promise<() => void> {
  const connection = await knock(stage, "quic", "moq-lite-06");
  const stream = await connection.openUni();
  stream.write(Uint8Array.fromHex("0105"));
  hold(connection, stream);
  return () => connection.close();
}

/** HTTP/3, up to the middle of a request for a WebTransport session. */
async function halfConnect({ relay, signal }: Stage): Promise<() => void> {
  const connection: Connection = await connectAlpn(new URL(relay.url), ["h3"], {
    protocols: [],
    hash: Uint8Array.fromHex(relay.hash),
    signal,
  });
  const control = await connection.openUni();
  control.write(Uint8Array.fromHex("00040433010801"));
  const request = await connection.openBidi();
  request.send.write(Uint8Array.fromHex("0140ff0000"));
  hold(connection, control);
  hold(connection, request);
  return () => connection.close();
}

/** The first bytes of a TCP connection, then one byte now and then. */
async function halfTcp(
  { relay, signal }: Stage,
  begin: Uint8Array<ArrayBuffer>,
  more: Uint8Array<ArrayBuffer>,
): Promise<() => void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.port });
  await conn.write(begin);
  void (async () => {
    while (!signal.aborted) {
      await sleep(1000, signal);
      await conn.write(more);
    }
  })().catch(() => {});
  return () => {
    try {
      conn.close();
    } catch { // The relay has closed it.
    }
  };
}

const HTTP_HEAD = encoder.encode("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
/** A TLS handshake record that promises 512 bytes of ClientHello. */
const TLS_HEAD = Uint8Array.fromHex("1603010200010001fc0303");

export const slowHandshakes: Fault = {
  name: "slow-handshakes",
  what:
    "handshakes that stop half-way: QUIC after its first packet, half a SETUP, half a WebTransport " +
    "request, HTTP heads and TLS hellos a byte a second",
  counters: COUNTERS,
  async run(stage) {
    const ways = [
      () => initialOnly(stage),
      () => halfSetup(stage),
      () => halfConnect(stage),
      () => halfTcp(stage, HTTP_HEAD, encoder.encode("x")),
      () => halfTcp(stage, TLS_HEAD, Uint8Array.of(0)),
    ];
    const kept = await keep(stage, 500, (i) => ways[i % ways.length]!());
    return `${number(kept)} handshakes`;
  },
};

export const halfOpen: Fault = {
  name: "half-open",
  what: "a thousand QUIC connections that never send SETUP",
  counters: COUNTERS,
  async run(stage) {
    const kept = await keep(stage, 1000, async () => {
      const connection = await knock(stage, "quic", "moq-lite-06");
      return () => connection.close();
    });
    return `${number(kept)} connections`;
  },
};

/** Connections that send nothing and go, on TCP without a close. */
export const comeAndGo: Fault = {
  name: "come-and-go",
  what: "TCP connections that are closed at once, before or within a request or a TLS hello",
  counters: COUNTERS,
  async run({ relay, signal }) {
    const turns = await loops(signal, 4, async (turn) => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.port });
      if (turn % 3 > 0) await conn.write(turn % 3 === 1 ? HTTP_HEAD : TLS_HEAD);
      conn.close();
      await sleep(5);
    });
    return `${number(turns)} connections`;
  },
};
