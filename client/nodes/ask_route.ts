/**
 * Asks a relay for the other nodes of its cluster: `GET /route`.
 *
 * @module
 */

import { textWithin } from "../../transport/text_within.ts";

/** A node as `/route` names it. */
export interface NamedNode {
  readonly url: string;
  readonly region: string | undefined;
}

/** Asks a relay for the nodes of its cluster, best first. @returns `undefined` if it does not tell. Never rejects. */
export type AskRoute = (url: URL, signal: AbortSignal) => Promise<readonly NamedNode[] | undefined>;

/** Schemes without TLS, and their ports. */
const PORTS: Readonly<Record<string, string>> = { "http:": "80", "ws:": "80" };

/** The port of a URL, also where it is that of its scheme. */
export function portOf({ port, protocol }: URL): string {
  return port || (PORTS[protocol] ?? "443");
}

/** Host and port: what makes a place. A relay has all its transports at one port. */
export function keyOf(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}

/** How long `/route` may take, in milliseconds: somebody waits to go elsewhere. */
const ASK_MS = 2000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Asks over HTTP: in plain text only where the certificate itself is fetched so (`http:`), or there is none (`ws:`). Everything
 * else asks by `https:`, with the authorities of the runtime and these. An answer that cannot be trusted is none.
 */
export function askOverHttp(
  { caCerts, region }: { readonly caCerts?: readonly string[]; readonly region?: string } = {},
): AskRoute {
  return async (at, signal) => {
    const scheme = at.protocol in PORTS ? "http" : "https";
    const { Deno } = globalThis as { Deno?: DenoHttp };
    const client = caCerts === undefined ? undefined : Deno?.createHttpClient({ caCerts });
    try {
      const url = new URL(`${scheme}://${keyOf(at)}/route`);
      url.searchParams.set("path", decodeURIComponent(at.pathname));
      if (region !== undefined) url.searchParams.set("region", region);
      const answer = await fetch(url, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]),
        credentials: "omit",
        redirect: "error",
        ...(client && { client }),
      } as RequestInit);
      return nodesIn(await textWithin(answer, MAX_ANSWER_BYTES));
    } catch {
      return undefined;
    } finally {
      client?.close();
    }
  };
}

interface DenoHttp {
  createHttpClient(options: { caCerts: readonly string[] }): { close(): void };
}

/** @throws {SyntaxError} It is no JSON. */
function nodesIn(text: string): NamedNode[] | undefined {
  const { nodes } = (JSON.parse(text) ?? {}) as { nodes?: unknown };
  if (!Array.isArray(nodes)) return undefined;
  return nodes.flatMap(({ url, region }) =>
    typeof url === "string" && URL.canParse(url)
      ? [{ url, region: typeof region === "string" ? region : undefined }]
      : []
  );
}
