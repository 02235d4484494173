import { isLoopback } from "../config/address.ts";
import { pageUrl } from "../server/page_url.ts";

/**
 * The page of the relay that plays a broadcast.
 *
 * @param relay The URL that was dialed. Its path stays, its query goes: a token is nothing to hand on.
 * @returns `undefined` for a URL of raw QUIC: whether there is a page, and by which scheme, is not told by it.
 */
export function watchUrl(relay: string, broadcast: string): string | undefined {
  const { protocol, hostname, host, port, pathname } = new URL(relay);
  if (protocol === "moqt:" || protocol === "moql:") return undefined;
  const plain = protocol === "http:" || protocol === "ws:";
  const origin = plain && isLoopback(hostname.replace(/^\[|\]$/g, ""))
    ? pageUrl({ hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 80) })
    : `${plain ? "http" : "https"}://${host}/`;
  const page = new URL(pathname, origin);
  page.searchParams.set("name", broadcast.split("/").filter((part) => part !== "").join("/"));
  return page.href;
}
