/**
 * Requests for admission, and their tokens.
 *
 * @module
 */
import type { EntryWish } from "../../session/session.ts";

/** A request for admission. Its token is not parsed yet. */
export interface AuthRequest {
  /** Normalised and decoded, with a slash in front. */
  readonly path: string;
  /** Without "?"; empty where there is no query. */
  readonly query: string;
  /** "ip:port" of the peer, or what else the transport calls it. */
  readonly remote: string;
  readonly transport: "quic" | "webtransport" | "websocket" | "http";
  /** The role the peer declares. It restricts the rights of the token. */
  readonly role?: "publisher" | "subscriber";
  /** The token of `Authorization: Bearer`. The query may hold another one. */
  readonly bearer?: string;
}

/** The token of `Authorization: Bearer`. */
export function bearerOf(headers: Headers): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
}

/** What a token in SETUP is as a bearer token: kind 0 is agreed on out of band, and is a JWT here. Others are not known. */
export function bearerOfSetup(token: EntryWish["token"]): string | undefined {
  if (token === undefined || token.kind !== 0) return undefined;
  return new TextDecoder().decode(token.value);
}

/** Splits the path of a connection from its query. */
export function splitPath(path: string): { path: string; query: string } {
  const at = path.indexOf("?");
  return at < 0 ? { path, query: "" } : { path: path.slice(0, at), query: path.slice(at + 1) };
}

/** The token of a request: the last `jwt` of the query that is not empty, or the bearer token. */
export function tokenOf(
  { query, bearer }: Pick<AuthRequest, "query" | "bearer">,
): string | undefined {
  const shown = new URLSearchParams(query).getAll("jwt").filter((text) => text !== "");
  return shown.at(-1) ?? (bearer === "" ? undefined : bearer);
}
