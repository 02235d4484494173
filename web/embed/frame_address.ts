/** What the address of an embedded page says: /embed/BROADCAST?root=…&jwt=…&parent=… */
import { normalizePath, pathOfUrl, urlOfPath } from "../../wire/path.ts";

export interface FrameAddress {
  readonly broadcast: string;
  /** The relay, with the root and without the token. */
  readonly relayUrl: string;
  readonly token: string | undefined;
  /**
   * The only origin that may send and receive messages. Absent: any parent. "none", which no page has: the address names
   * something that is not an origin.
   */
  readonly parent: string | undefined;
  /** Attributes of the player. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The same address without its token: what history, copies and referrers may hold. */
  readonly clean: string;
}

const VALUES = ["latency", "volume", "poster", "visible"] as const;
/** Attributes without a value, and whether the player has them by default. */
const SWITCHES = { autoplay: true, muted: true, controls: true } as const;

/** @throws {URIError} The path is no well-formed percent-encoding, or no path of a broadcast. */
export function readFrameAddress(href: string): FrameAddress {
  const url = new URL(href);
  const { searchParams: query } = url;
  const broadcast = pathOfUrl(url.pathname.replace(/^\/embed\/?/, ""));
  if (broadcast === undefined) throw new URIError("the path names no broadcast");
  const secret = new URLSearchParams(url.hash.slice(1));
  const token = secret.get("jwt") ?? query.get("jwt") ?? undefined;
  const relay = new URL("/", url.origin);
  relay.pathname = urlOfPath(normalizePath(query.get("root") ?? ""));
  const parent = query.get("parent");
  const attributes: Record<string, string> = {};
  for (const name of VALUES) {
    const value = query.get(name);
    if (value !== null) attributes[name] = value;
  }
  for (const [name, usual] of Object.entries(SWITCHES)) {
    const value = query.get(name);
    if (value === null ? usual : value !== "0" && value !== "false") attributes[name] = "";
  }
  query.delete("jwt");
  secret.delete("jwt");
  url.hash = secret.size === 0 ? "" : secret.toString();
  return {
    broadcast,
    relayUrl: relay.href,
    token,
    parent: parent === null ? undefined : originOf(parent),
    attributes,
    clean: url.href,
  };
}

/** An unreadable parent must not mean "any parent": "site.example:443" is a URL without an origin. */
function originOf(text: string): string {
  const origin = URL.canParse(text) ? new URL(text).origin : "null";
  return origin === "null" ? "none" : origin;
}

/** What a parent may ask of the player. */
export type FrameOrder =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "play" | "pause" }
  | { readonly kind: "muted"; readonly muted: boolean }
  | { readonly kind: "volume"; readonly volume: number };

/** Reads a message of the parent. @returns `undefined` for any other message. */
export function readOrder(data: unknown): FrameOrder | undefined {
  if (typeof data !== "object" || data === null || !("type" in data)) return undefined;
  const value = "value" in data ? data.value : undefined;
  switch (data.type) {
    case "qumo:token":
      return typeof value === "string" ? { kind: "token", token: value } : undefined;
    case "qumo:play":
      return { kind: "play" };
    case "qumo:pause":
      return { kind: "pause" };
    case "qumo:muted":
      return typeof value === "boolean" ? { kind: "muted", muted: value } : undefined;
    case "qumo:volume":
      return typeof value === "number" ? { kind: "volume", volume: value } : undefined;
    default:
      return undefined;
  }
}
