/**
 * The interop server that is a peer of its own: it listens, and takes one client in.
 *
 * @module
 */
import { serve } from "../../client/serve.ts";
import { ADDRESS_HINT, formatAddress, parseAddress } from "../../config/address.ts";
import { certificateHosts } from "../../config/tls/certificate.ts";
import { selfSigned } from "../../config/tls/self_signed.ts";
import { UsageError } from "../../base/errors.ts";
import type { InteropPeer } from "./interop_scenario.ts";
import { say } from "../shell/output.ts";

/** A server that waits for its one client. */
export interface InteropListener extends AsyncDisposable {
  /** Fulfils with the first client. */
  readonly client: Promise<InteropPeer>;
}

/**
 * Listens with a certificate made for this run, and says what the client has to be given.
 * @throws {UsageError} The address is none. @throws {ListenFailed}
 */
export async function listenForInterop(text: string): Promise<InteropListener> {
  const address = parseAddress(text);
  if (address === undefined) throw new UsageError(`--listen takes ${ADDRESS_HINT}, not "${text}"`);
  const { cert, key, sha256 } = await selfSigned(certificateHosts());
  const client = Promise.withResolvers<InteropPeer>();
  const server = await serve({
    ...address,
    cert,
    key,
    onsession: (session) =>
      client.resolve({
        version: session.version,
        closed: session.closed,
        stats: session.stats,
        publish: (path, options) => session.publish(path, options),
        announced: (prefix) => session.announced(prefix),
        subscribe: (path, track) => session.subscribe(path, track),
        fetch: (path, track, group) => session.fetch(path, track, group),
        probe: () => session.link.session.probe(),
        goaway: (uri) => session.goaway(uri),
        close: () => session.close(),
      }),
  });
  const bound = server.address!;
  const shown = bound.hostname === "::" || bound.hostname === "0.0.0.0"
    ? { ...bound, hostname: "localhost" }
    : bound;
  say(
    `Listening on ${formatAddress(bound)}, QUIC and WebTransport. In another terminal:\n` +
      `  qumo-relay interop client --url moqt://${formatAddress(shown)}/ --hash ${sha256.toHex()}`,
  );
  return { client: client.promise, [Symbol.asyncDispose]: () => server.close() };
}
