/**
 * A name server of the test's own, on a free UDP port of 127.0.0.1.
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
  /** Questions so far, as "NAME TYPE". */
  readonly asked: string[];
}

export interface Service {
  readonly target: string;
  readonly port: number;
}

const CODES = { servfail: 2, nxdomain: 3, refused: 5 };
/** Recursion desired and available. */
const FLAGS = 0x0180;

export function startDnsServer(): DnsServer {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const server: DnsServer = {
    port: (socket.addr as Deno.NetAddr).port,
    records: new Map(),
    fails: undefined,
    asked: [],
    async [Symbol.asyncDispose]() {
      socket.close();
      await serving;
    },
  };
  const serving = (async () => {
    for await (const [bytes, from] of socket) {
      const query = decode(Buffer.from(bytes));
      const [{ name, type }] = query.questions;
      server.asked.push(`${name} ${type}`);
      if (server.fails === "silent") continue;
      const found = server.records.get(`${name} ${type}`);
      const known = [...server.records.keys()].some((key) => key.startsWith(`${name} `));
      const code = server.fails ?? (known ? undefined : "nxdomain");
      const data = (one: string | Service) =>
        typeof one === "string" ? one : { ...one, priority: 0, weight: 1 };
      await socket.send(
        encode({
          type: "response",
          id: query.id,
          flags: FLAGS | (code === undefined ? 0 : CODES[code]),
          questions: query.questions,
          answers: code === undefined
            ? (found ?? []).map((one) => ({ type, name, ttl: 1, data: data(one) }))
            : [],
        }),
        from,
      );
    }
  })();
  return server;
}
