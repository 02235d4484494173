/**
 * The questions that a node answers about itself, and their answers. Both are plain data: other threads ask too.
 *
 * @module
 */
import type { BroadcastJson, SessionDetailJson, SessionJson } from "../../admin/shapes.ts";
import type { NodeNumbers } from "../../metrics/snapshot.ts";
import type { CloseReason } from "../../session/reasons.ts";
import type { Revoked } from "../auth/revocations.ts";
import type { NodeView } from "./node_view.ts";
import {
  broadcastsOf,
  type NodeTrack,
  numbersOf,
  sessionOf,
  sessionsOf,
  tracksOf,
} from "./snapshot.ts";
import { viewedBroadcasts } from "../viewed.ts";

export type Question =
  | { readonly about: "sessions" | "broadcasts" | "tracks" | "numbers" | "viewed" }
  | { readonly about: "session"; readonly id: number }
  | {
    readonly about: "kick";
    readonly id: number;
    readonly why: CloseReason | number;
    readonly reason: string;
  }
  | { readonly about: "revoke"; readonly revoked: Revoked; readonly untilMs?: number };

export interface Answers {
  readonly sessions: SessionJson[];
  readonly session: SessionDetailJson | undefined;
  readonly broadcasts: BroadcastJson[];
  readonly tracks: NodeTrack[];
  readonly numbers: NodeNumbers;
  /** Broadcasts with a viewer. */
  readonly viewed: string[];
  /** Whether there was such a session. */
  readonly kick: boolean;
  /** How many sessions were closed. */
  readonly revoke: number;
}

export async function answer<Q extends Question>(
  node: NodeView,
  question: Q,
): Promise<Answers[Q["about"]]> {
  const answers: { [A in keyof Answers]: () => Answers[A] | Promise<Answers[A]> } = {
    sessions: () => sessionsOf(node.relay),
    kick: () =>
      question.about === "kick" && node.relay.kick(question.id, question.why, question.reason),
    session: () => question.about === "session" ? sessionOf(node.relay, question.id) : undefined,
    broadcasts: () => broadcastsOf(node.relay),
    tracks: () => tracksOf(node.relay),
    numbers: () => numbersOf(node),
    viewed: () => viewedBroadcasts(node.relay),
    revoke: () => "revoked" in question ? node.relay.revoke(question.revoked, question.untilMs) : 0,
  };
  return await answers[question.about as Q["about"]]();
}
