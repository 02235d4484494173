/**
 * A whole server in this process, on free ports of 127.0.0.1, for tests across modules.
 *
 * @module
 */
import { type Logger, silent } from "../../base/logger.ts";
import { parseConfig } from "../../config/load.ts";
import type { Certificate } from "../../config/tls/pem_pair.ts";
import { selfSigned } from "../../config/tls/self_signed.ts";
import { type Client, connect, type ConnectOptions } from "../../client/mod.ts";
import { type RunningServer, startServer } from "../../server/server.ts";

export interface LaunchOptions {
  /** Settings by path, as on the command line: `{ "relay.linger": "1s" }`. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly log?: Logger;
  /** What worker threads run, if not the program. */
  readonly module?: string;
  /** Text of the configuration file. */
  readonly yaml?: string;
  /** Default: a new one for 127.0.0.1. */
  readonly certificate?: Certificate;
}

/** A running server, closed when it goes out of scope. */
export interface Launched extends AsyncDisposable {
  readonly server: RunningServer;
  readonly port: number;
  readonly adminUrl: string;
  readonly certificate: Certificate;
  /** A client of this server. `scheme` decides the transport. */
  client(
    scheme?: "moqt" | "https" | "http" | "ws" | "wss",
    options?: ConnectOptions,
  ): Promise<Client>;
  /** JSON of the admin API. */
  api<T = unknown>(path: string): Promise<T>;
}

export async function launch(options: LaunchOptions = {}): Promise<Launched> {
  const certificate = options.certificate ?? await testCertificate();
  const loaded = parseConfig(options.yaml ?? "", {
    flags: {
      "server.address": "127.0.0.1:0",
      "admin.address": "127.0.0.1:0",
      "server.drain_timeout": "1s",
      ...options.flags,
    },
  });
  const server = await startServer(loaded, {
    logger: options.log ?? silent,
    certificate,
    module: options.module ?? new URL("../../main.ts", import.meta.url).href,
  });
  const { port } = server.address;
  const admin = server.listeners.find((l) => l.name === "admin");
  const adminUrl = `http://${admin?.address}`;
  return {
    server,
    port,
    adminUrl,
    certificate,
    client: (scheme = "moqt", connectOptions = {}) =>
      connect(`${scheme}://127.0.0.1:${port}/`, {
        ...(scheme === "http" || scheme === "ws"
          ? {}
          : scheme === "wss"
          ? { caCerts: [certificate.cert] }
          : { hash: certificate.sha256 }),
        ...connectOptions,
      }),
    async api<T>(path: string): Promise<T> {
      const answer = await fetch(adminUrl + path);
      return await answer.json() as T;
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** A certificate for 127.0.0.1 and localhost, or for other hosts, in memory. */
export async function testCertificate(hosts = ["localhost", "127.0.0.1"]): Promise<Certificate> {
  const pair = await selfSigned(hosts);
  return {
    ...pair,
    hosts,
    notBeforeMs: Date.now(),
    notAfterMs: Date.now() + 13 * 86_400_000,
    selfSigned: true,
    pinnable: true,
    made: true,
    warnings: [],
  };
}

/** Waits until `done` says so, looking every few milliseconds; fails after `timeoutMs`. */
export async function until(
  done: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const giveUpMs = performance.now() + timeoutMs;
  while (!await done()) {
    if (performance.now() > giveUpMs) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
