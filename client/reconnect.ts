/**
 * When and where a client dials again.
 *
 * @module
 */
import { sameHost } from "../base/same_host.ts";
import { NoCommonVersion } from "../session/errors.ts";
import { ConnectFailed } from "../transport/errors.ts";

/** How a lost session is made up for. Every time in milliseconds. */
export interface ReconnectOptions {
  /** Wait before the first attempt; each further one doubles it. Default 250. */
  readonly minMs?: number;
  /** Longest wait. Default 10,000. */
  readonly maxMs?: number;
  /** Gives up after this long without a session. Default: never. */
  readonly giveUpMs?: number;
  /** Also goes on when the relay refuses the token or every version: it may take them later. Default: not. */
  readonly evenRefused?: boolean;
  /**
   * After a new session stands, how long broadcasts that were there before may take to come back: until then their
   * subscriptions wait and nobody hears that they are gone. Default 10,000.
   */
  readonly graceMs?: number;
  /** Between 0 and 1, for the jitter: an attempt comes after half to all of its wait. Default: random. */
  readonly random?: () => number;
}

/**
 * What a client does that is asked to go elsewhere. It takes its token along, so by default it goes to the same host, to one of
 * its list, or to a node that `/route` has named; or anywhere; or nowhere.
 */
export type GoawayPolicy = "same-host" | "follow" | "ignore";

/** How a client stands. */
export type ClientStatus =
  | {
    readonly state: "connected";
    readonly version: string;
    readonly remoteAddress: string;
    /** Counted from 1. */
    readonly session: number;
  }
  /** There is no session; the next attempt comes after `waitMs`. `reason` is why the last one ended, or failed. */
  | {
    readonly state: "reconnecting";
    readonly reason: string;
    readonly attempt: number;
    readonly waitMs: number;
  }
  /** The peer has asked us to go; what runs goes on until the new session stands. */
  | { readonly state: "moving"; readonly url: string }
  /** For good. */
  | { readonly state: "closed"; readonly code: number; readonly reason: string };

/** Chooses among several nodes. */
export interface Elsewhere {
  /** Opens the first session, at the first node that takes us. @throws Why the last one did not. */
  enter(open: (url: URL) => Promise<void>, signal: AbortSignal): Promise<void>;
  /** A session with this node has lasted, and is over now: every node may be tried again, this one last. */
  lasted(at: URL): void;
  /**
   * Where to go from a node that is lost or does not take us. Never rejects.
   * @param why The error of the attempt, or the word for which the session was closed.
   * @returns `fresh`: it was not tried since a session lasted.
   */
  next(from: URL, why: unknown, signal: AbortSignal): Promise<{
    readonly url: URL;
    readonly fresh: boolean;
  }>;
  /** Where to go from a node that has asked us to. Never rejects. */
  asked(uri: string, from: URL, policy: GoawayPolicy, signal: AbortSignal): Promise<URL>;
}

/** Where to go when asked to: the place named, as far as the policy allows, else back to the same one. */
export function goawayTarget(uri: string, url: URL, policy: GoawayPolicy): URL {
  if (uri === "" || !URL.canParse(uri)) return url;
  return policy === "follow" || sameHost(uri, url.href) ? new URL(uri) : url;
}

/** The URL that is dialed: with the token in its query, where there is one. */
export function withToken(url: URL, token: string | undefined): URL {
  if (token === undefined) return url;
  const target = new URL(url);
  target.searchParams.set("jwt", token);
  return target;
}

/** For logs and statuses: without query, which may hold a token. */
export function shown(url: URL): string {
  return url.origin === "null"
    ? `${url.protocol}//${url.host}${url.pathname}`
    : url.origin + url.pathname;
}

/** Whether another attempt would only fail again: the token is refused, or there is no common version. */
export function isFinal(error: unknown): boolean {
  if (error instanceof NoCommonVersion) return true;
  return error instanceof ConnectFailed && (error.status === 401 || error.status === 403);
}
