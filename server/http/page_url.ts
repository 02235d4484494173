import { type Address, formatAddress, isLoopback } from "../../config/address.ts";

/** What a browser on this machine calls a server that listens on every address. */
const EVERY: Readonly<Record<string, string>> = { "::": "localhost", "0.0.0.0": "127.0.0.1" };

/**
 * The URL of the first page, for a browser on this machine. It has the bound address: "localhost" may be another address of
 * the machine, and browsers do not try a second address for WebTransport. WebTransport works on a page of plain HTTP only
 * from a loopback address, so other addresses get HTTPS.
 *
 * @param bound Where HTTP and HTTPS listen.
 */
export function pageUrl({ hostname, port }: Address): string {
  const name = EVERY[hostname] ?? hostname;
  const scheme = name === "localhost" || isLoopback(name) ? "http" : "https";
  return `${scheme}://${formatAddress({ hostname: name, port })}/`;
}
