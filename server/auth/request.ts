/**
 * Who asks to come in, and the token they show.
 *
 * @module
 */

/** One who wants in: facts, nothing parsed. */
export interface AuthRequest {
  /** Normalised and decoded, with a slash in front. */
  readonly path: string;
  /** Without "?"; empty when there is none. */
  readonly query: string;
  /** "ip:port" of the peer, or whatever is known of it. */
  readonly remote: string;
  readonly transport: "quic" | "webtransport" | "websocket" | "http";
  /** What the peer says it wants to do: it may ask for less than its token grants, not for more. */
  readonly role?: "publisher" | "subscriber";
  /** A token beside the query, from HTTP's `Authorization: Bearer`. */
  readonly bearer?: string;
}

/** The token of `Authorization: Bearer`. */
export function bearerOf(headers: Headers): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
}

/** Splits what a connection calls its path. */
export function splitPath(path: string): { path: string; query: string } {
  const at = path.indexOf("?");
  return at < 0 ? { path, query: "" } : { path: path.slice(0, at), query: path.slice(at + 1) };
}

/** The token of a request: the last one that is not empty. */
export function tokenOf({ query, bearer }: AuthRequest): string | undefined {
  const shown = new URLSearchParams(query).getAll("jwt").filter((text) => text !== "");
  return shown.at(-1) ?? (bearer === "" ? undefined : bearer);
}
