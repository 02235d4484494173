/**
 * Connections between two ends of a test: what they carry, and a server for WebTransport.
 *
 * @module
 */
import { selfSigned } from "../../config/tls/self_signed.ts";
import type { Connection, ReceiveStream } from "../../transport/connection.ts";
import { connectAlpn, listenQuic } from "../../transport/quic/quic.ts";
import type { TransportSettings } from "../../transport/quic/quic_settings.ts";
import { Arrivals } from "../../transport/queue.ts";
import {
  acceptWebTransport,
  type WebTransportAcceptOptions,
} from "../../transport/webtransport/webtransport_server.ts";

export const bytes = (text: string) => new TextEncoder().encode(text);
export const words = (raw: Uint8Array | undefined) => raw && new TextDecoder().decode(raw);

/** A stream to its end. */
export async function all(stream: ReceiveStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let chunk; (chunk = await stream.read());) parts.push(chunk);
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** Takes in every connection to a free port. @param alpn What is spoken besides HTTP/3. */
export async function webTransportServer(
  accept: WebTransportAcceptOptions,
  { alpn = [], ...transport }: TransportSettings & { readonly alpn?: readonly string[] } = {},
) {
  const certificate = await selfSigned(["localhost", "127.0.0.1"]);
  const listener = listenQuic({
    hostname: "127.0.0.1",
    port: 0,
    ...certificate,
    protocols: [...alpn, "h3"],
    transport,
  });
  const sessions = new Arrivals<Connection>();
  const running = (async () => {
    for await (const conn of listener) {
      acceptWebTransport(conn, accept)
        .then((session) => session && sessions.push(session), () => {});
    }
  })();
  const url = new URL(`https://127.0.0.1:${listener.addr.port}/`);
  const hash = certificate.sha256;
  return {
    url,
    hash,
    next: async (): Promise<Connection> => (await sessions.next())!,
    /** A bare connection. */
    raw: () => connectAlpn(url, ["h3"], { protocols: [], hash }),
    async [Symbol.asyncDispose]() {
      listener.close();
      await running;
    },
  };
}

/** Both ends of a connection to a server, which ends with them. */
export async function joined<
  Server extends AsyncDisposable & { dial(): Promise<Client>; next(): Promise<Connection> },
  Client extends Connection,
>(server: Server) {
  const client: Client = await server.dial();
  const there = await server.next();
  return {
    server,
    client,
    there,
    async [Symbol.asyncDispose]() {
      client.close();
      await Promise.all([client.closed, there.closed]);
      await server[Symbol.asyncDispose]();
    },
  };
}
