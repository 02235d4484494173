/**
 * A relay without sockets, its view, and peers in memory, for tests of the HTTP interfaces.
 *
 * @module
 */
import { ManualClock } from "../base/clock.ts";
import { silent } from "../base/logger.ts";
import { Client } from "../client/client.ts";
import { parseConfig } from "../config/load.ts";
import { memoryPair } from "../transport/memory.ts";
import { pathOfUrl } from "../wire/path.ts";
import { fullGrant } from "./auth/grant.ts";
import { splitPath } from "./auth/request.ts";
import type { ServerView } from "./deps.ts";
import { PageOrigins } from "./page_origins.ts";
import { Relay } from "./relay.ts";

/** A relay for one test. Dispose of it in the end. */
export class RelayUnderTest implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly relay = new Relay({ hop: 7n, clock: this.clock });
  readonly #clients: Client[] = [];

  /** What the HTTP interfaces get. */
  view(changes: Partial<ServerView> & { readonly yaml?: string } = {}): ServerView {
    const { yaml = "", ...rest } = changes;
    const loaded = changes.loaded ??
      parseConfig(yaml || 'server: { address: "127.0.0.1:4433" }\n');
    const pages = new PageOrigins(loaded.config, []);
    return {
      relay: this.relay,
      loaded,
      pages: () => pages,
      foreign: (page) => pages.httpRefusal(page),
      certificate: () => ({
        cert: "",
        key: "",
        sha256: Uint8Array.from({ length: 32 }, (_, i) => i),
        hosts: ["localhost"],
        notBeforeMs: 1_700_000_000_000,
        notAfterMs: 1_701_000_000_000,
        selfSigned: true,
        pinnable: true,
        made: true,
        warnings: [],
      }),
      upstream: undefined,
      quicAddress: { hostname: "127.0.0.1", port: 4433 },
      adminAddress: () => undefined,
      startedAtMs: this.clock.wallMs(),
      quicHandshakesFailed: () => 0,
      strayFailures: () => 0,
      webTransportAnswers: () => new Map(),
      webSocketAnswers: () => new Map(),
      admit: ({ path }) => Promise.resolve({ grant: fullGrant(pathOfUrl(splitPath(path).path)!) }),
      refused: () => new Map(),
      drain: () => {},
      log: silent,
      logLevel: { level: "info" },
      ...rest,
    };
  }

  /** A peer with a session. */
  async client(protocol = "moq-lite-06"): Promise<Client> {
    const [ours, theirs] = memoryPair({ protocol });
    void this.relay.accept(theirs);
    const client = await Client.over(ours, { clock: this.clock });
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.close();
    await this.relay.close();
    this.clock.advance(120_000); // what waited for its time has had it
  }
}

/** Lets everything in memory go on until a condition holds. @throws {Error} It does not come to hold. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 500; turn++) {
    if (await holds()) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
  }
  throw new Error(`it did not come about that ${holds}`);
}

/** What an endpoint answers as JSON. */
// deno-lint-ignore no-explicit-any
export async function jsonOf(response: Response | Promise<Response>): Promise<any> {
  return await (await response).json();
}
