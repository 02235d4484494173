/**
 * Things that every example needs: a certificate, arguments, output.
 *
 * @module
 */
export { sleep } from "../base/sleep.ts";
import { selfSigned } from "../config/tls/self_signed.ts";
import type { Server } from "../client/mod.ts";

/** Where the examples listen, and dial. */
const PORT = 4433;
export const URL_HERE = `http://127.0.0.1:${PORT}/`;

/**
 * The port a server is to listen on: its first argument, else {@link PORT}. For 0 it looks for one where both QUIC and HTTP are
 * free: {@link opened} needs both.
 */
export function chosenPort(): number {
  const port = Number(Deno.args[0] ?? PORT);
  if (port !== 0) return port;
  const hostname = "127.0.0.1";
  for (;;) {
    using tcp = Deno.listen({ hostname, port: 0 });
    const { port } = tcp.addr;
    try {
      Deno.listenDatagram({ transport: "udp", hostname, port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** A certificate for this machine, made now. */
export async function certificate() {
  return await selfSigned(["localhost", "127.0.0.1"]);
}

/**
 * Says where a server listens, and serves the hash of its certificate at `/certificate.sha256`, where clients of `http://`
 * URLs look for it. A real server has a signed certificate and needs neither.
 */
export function opened(server: Server, { sha256 }: { readonly sha256: Uint8Array }): void {
  const { hostname, port } = server.address!;
  Deno.serve({ hostname, port, onListen() {} }, () => new Response(sha256.toHex()));
  print(`listening on http://${hostname}:${port}/`);
}

/** Writes a line. */
export function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** The bytes of a frame as text. */
export function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload);
}
