/**
 * Peers that have dialed this node: other nodes of the cluster. They may come in by any thread; only the first one dials, so the
 * others tell it.
 *
 * @module
 */
import type { Relay } from "../../relay.ts";

/** A peer that has dialed this node, in any of its threads. Plain data. */
export interface IncomingPeer {
  readonly session: number;
  /** 0 where its version does not tell. */
  readonly hop: bigint;
  readonly remote: string;
  readonly version: string;
  /** When its session began, in milliseconds since 1970. */
  readonly sinceMs: number;
}

/** The peers that have dialed one thread. */
export function incomingPeers(relay: Relay): IncomingPeer[] {
  return [...relay.sessions()].filter(({ peer, dialed }) => peer && !dialed)
    .map(({ id, session, startedAtMs }) => ({
      session: id,
      hop: session.peerHop,
      remote: session.connection.remoteAddress,
      version: session.version,
      sinceMs: startedAtMs,
    }));
}
