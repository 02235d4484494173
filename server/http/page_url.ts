import { type Address, formatAddress, isLoopback } from "../../config/address.ts";

/** What a browser on this machine calls a server that listens on every address. */
const EVERY: Readonly<Record<string, string>> = { "::": "localhost", "0.0.0.0": "127.0.0.1" };

/**
 * The address of the first page, for a browser on this machine. It names what was bound: "localhost" may be another address
 * of the machine, where HTTP is tried again elsewhere and WebTransport is not. Browsers have WebTransport on plain HTTP from
 * a loopback address alone, so elsewhere it is HTTPS.
 *
 * @param bound Where HTTP and HTTPS listen.
 */
export function pageUrl({ hostname, port }: Address): string {
  const name = EVERY[hostname] ?? hostname;
  const scheme = name === "localhost" || isLoopback(name) ? "http" : "https";
  return `${scheme}://${formatAddress({ hostname: name, port })}/`;
}
