/**
 * A name server of the test's own, on a free port of 127.0.0.1, over UDP and TCP.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { decode, encode } from "dns-packet";

export interface DnsServer extends AsyncDisposable {
  readonly port: number;
  /** What names have, by "NAME TYPE": addresses, or targets of SRV records. Others do not exist. */
  readonly records: Map<string, readonly (string | Service)[]>;
  /** How it answers instead: an error code of DNS, or not at all. */
  fails: "servfail" | "refused" | "silent" | undefined;
  /** Questions of this type get no answer. */
  silentFor: string | undefined;
  /** Questions so far, as "NAME TYPE", those over TCP with " over TCP" behind it. */
  readonly asked: string[];
}

export interface Service {
  readonly target: string;
  readonly port: number;
}

const CODES = { servfail: 2, nxdomain: 3, refused: 5 };
/** Recursion desired and available. */
const FLAGS = 0x0180;
const TRUNCATED = 0x0200;
/** Longest answer over UDP without EDNS. */
const MAX_UDP_BYTES = 512;

export function startDnsServer(): DnsServer {
  const { socket, listener, port } = onePort();
  const server: DnsServer = {
    port,
    records: new Map(),
    fails: undefined,
    silentFor: undefined,
    asked: [],
    async [Symbol.asyncDispose]() {
      socket.close();
      listener.close();
      await Promise.all(serving);
    },
  };
  const serving = [overUdp(server, socket), overTcp(server, listener)];
  return server;
}

/** Listens for UDP and TCP at a port that is free for both. */
function onePort(): { socket: Deno.DatagramConn; listener: Deno.Listener; port: number } {
  const hostname = "127.0.0.1";
  for (;;) {
    const listener = Deno.listen({ hostname, port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    try {
      const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
      return { socket, listener, port };
    } catch (error) {
      listener.close();
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

async function overUdp(server: DnsServer, socket: Deno.DatagramConn): Promise<void> {
  for await (const [bytes, from] of socket) {
    const answer = answerOf(server, bytes, "");
    if (answer === undefined) continue;
    const cut = answer.length <= MAX_UDP_BYTES ? answer : answerOf(server, bytes, "", TRUNCATED)!;
    await socket.send(cut, from);
  }
}

async function overTcp(server: DnsServer, listener: Deno.Listener): Promise<void> {
  for await (const connection of listener) {
    using _ = connection;
    const head = await readExactly(connection, 2);
    const bytes = await readExactly(connection, head[0]! << 8 | head[1]!);
    const answer = answerOf(server, bytes, " over TCP");
    if (answer === undefined) continue;
    await connection.write(Uint8Array.of(answer.length >> 8, answer.length & 255, ...answer));
  }
}

async function readExactly(from: Deno.Conn, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const read = await from.read(bytes.subarray(at));
    if (read === null) throw new Error(`a question over TCP ended after ${at} bytes`);
    at += read;
  }
  return bytes;
}

/** @returns `undefined` for a question that gets no answer. */
function answerOf(
  server: DnsServer,
  bytes: Uint8Array,
  way: string,
  truncated = 0,
): Uint8Array | undefined {
  const { id, questions } = decode(Buffer.from(bytes));
  const [{ name, type }] = questions;
  if (truncated === 0) server.asked.push(`${name} ${type}${way}`);
  if (server.fails === "silent" || server.silentFor === type) return undefined;
  const known = [...server.records.keys()].some((key) => key.startsWith(`${name} `));
  const error = server.fails ?? (known ? undefined : "nxdomain");
  const found = error === undefined && truncated === 0
    ? server.records.get(`${name} ${type}`) ?? []
    : [];
  return encode({
    type: "response",
    id,
    flags: FLAGS | truncated | (error === undefined ? 0 : CODES[error]),
    questions,
    answers: found.map((one) => ({
      ...{ type, name, ttl: 1 },
      data: typeof one === "string" ? one : { ...one, priority: 0, weight: 1 },
    })),
  });
}
