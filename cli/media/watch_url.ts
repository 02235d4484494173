import { normalizePath } from "../../wire/path.ts";

/**
 * The page of the relay that plays a broadcast.
 *
 * @param relay The URL that was dialed. Its path stays, its query goes: a token is nothing to hand on.
 * @returns `undefined` for a URL of raw QUIC: whether there is a page, and by which scheme, is not told by it.
 */
export function watchUrl(relay: string, broadcast: string): string | undefined {
  const { protocol, host, pathname } = new URL(relay);
  if (protocol === "moqt:" || protocol === "moql:") return undefined;
  const scheme = protocol === "http:" || protocol === "ws:" ? "http" : "https";
  const page = new URL(pathname, `${scheme}://${host}/`);
  page.searchParams.set("name", normalizePath(broadcast));
  return page.href;
}
