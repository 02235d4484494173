/** Peers without a token and without SETUP, at their worst. */
import type { Connection } from "../../../transport/connection.ts";
import { connectAlpn } from "../../../transport/quic/quic.ts";
import { putVarint } from "../../../wire/varint.ts";
import { crowd, type Held } from "../costs.ts";
import type { Fault, Stage } from "../fault.ts";
import { alpnOf, hold, knock, uni, within } from "../peers.ts";
import { usualTarget } from "../target.ts";

/** docs/reliability.md */
const BOUND_MB = 2;
const MIB = 1 << 20;
/** A stranger opens streams until its credit is used up, or this many. */
const STREAMS = 60;
const STREAM_BYTES = 128 * 1024;
const COUNTERS = [
  "qumo_handshake_failures_total",
  "qumo_streams_refused_total",
  "qumo_refused_total",
];

/** A relay that keeps strangers while they are measured, although all come from one address. */
const patient = () =>
  usualTarget([
    "--server.handshake_timeout",
    "30s",
    "--limits.max_http_connections_per_address",
    "0",
  ]);

/** `head`, then zeros. */
function beginning(head: readonly number[], zeros: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(head.length + zeros);
  bytes.set(head);
  return bytes;
}

/** A message that claims `claimed` bytes and has `sent` of them. */
export function halfSent(head: readonly number[], claimed: number, sent: number): Uint8Array {
  const bytes = new Uint8Array(head.length + 8 + sent);
  bytes.set(head);
  const at = putVarint(bytes, head.length, claimed);
  return bytes.subarray(0, at + sent);
}

/** Opens as many streams of each kind as it may, each with the beginning of a message. */
export async function fill(
  connection: Connection,
  streams: { readonly uni: Uint8Array; readonly bidi: Uint8Array },
  count = STREAMS,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (await within(500, uni(connection, streams.uni)) === undefined) break;
  }
  for (let i = 0; i < count; i++) {
    const stream = await within(500, connection.openBidi());
    if (stream === undefined) break;
    hold(connection, stream);
    stream.send.write(streams.bidi);
  }
}

const GROUP = halfSent([0x00], MIB, STREAM_BYTES);
const SUBSCRIBE = halfSent([0x02], MIB, STREAM_BYTES);
const SETUP = halfSent([0x01], MIB, MIB - 16);

export const strangersQuic: Fault = crowd({
  name: "strangers-quic",
  what: "raw QUIC without SETUP: half of one of 1 MiB, or 120 streams with half a message each",
  counters: COUNTERS,
  open: patient,
  count: 100,
  boundMb: BOUND_MB,
  async one(stage, i) {
    const connection = await knock(stage, "quic", alpnOf(6));
    if (i % 3 === 0) await within(2000, uni(connection, SETUP));
    else await fill(connection, { uni: GROUP, bidi: SUBSCRIBE }).catch(() => {});
    return connection;
  },
});

/** WebTransport streams of session 0, which does not exist: type 0x54 in one direction, 0x41 in both. */
const WT_UNI = beginning([0x40, 0x54, 0x00], STREAM_BYTES);
const HEADERS = halfSent([0x01], MIB, STREAM_BYTES);

export const strangersH3: Fault = crowd({
  name: "strangers-h3",
  what:
    "HTTP/3 without a session: 60 requests with half of 1 MiB of headers each, and 60 streams of a session that " +
    "does not exist",
  counters: COUNTERS,
  open: patient,
  count: 100,
  boundMb: BOUND_MB,
  async one({ relay, signal }) {
    const connection = await connectAlpn(new URL(relay.url), ["h3"], {
      protocols: [],
      hash: Uint8Array.fromHex(relay.hash),
      signal,
    });
    await uni(connection, Uint8Array.fromHex("00040433010801"));
    await fill(connection, { uni: WT_UNI, bidi: HEADERS }).catch(() => {});
    return connection;
  },
});

const encoder = new TextEncoder();
const BEGINNINGS: readonly Uint8Array<ArrayBuffer>[] = [
  encoder.encode(`GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${"a".repeat(MIB)}`),
  encoder.encode(`GET /${"a/".repeat(MIB / 2)}`),
  encoder.encode(
    `POST /whip/a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n${"a".repeat(MIB)}`,
  ),
  beginning([0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x3f, 0xfc], 16_000),
  encoder.encode("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
];

async function overTcp({ relay }: Stage, bytes: Uint8Array<ArrayBuffer>): Promise<Held> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.port });
  void writeAll(conn, bytes);
  const closed = drained(conn);
  return {
    closed,
    close: () => {
      try {
        conn.close();
      } catch { // The relay has closed it.
      }
    },
  };
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  } catch { // Closed in the middle of it.
  }
}

async function drained(conn: Deno.Conn): Promise<void> {
  const into = new Uint8Array(4096);
  try {
    while (await conn.read(into) !== null);
  } catch { // Closed.
  }
}

export const strangersTcp: Fault = crowd({
  name: "strangers-tcp",
  what:
    "TCP: 1 MiB of a header, of a path or of a body that are not whole, half a TLS hello, a request and silence",
  counters: COUNTERS,
  open: patient,
  count: 400,
  boundMb: BOUND_MB,
  one: (stage, i) => overTcp(stage, BEGINNINGS[i % BEGINNINGS.length]!),
});
