import { type Address, formatAddress, isLoopback } from "../config/address.ts";

/**
 * The address of the first page as a browser on this machine writes it: a browser lets a page use
 * WebTransport over plain HTTP only from localhost.
 *
 * @param bound Where HTTP listens.
 */
export function pageUrl({ hostname, port }: Address): string {
  const here = ["::", "0.0.0.0"].includes(hostname) || isLoopback(hostname);
  return `http://${formatAddress({ hostname: here ? "localhost" : hostname, port })}/`;
}
