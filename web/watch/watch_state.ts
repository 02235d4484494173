import { inSentence } from "../../base/visible_text.ts";

/** What the watch view says, for every state there is. */
import type { RelaySaid } from "../connect/relay_said.ts";

export interface WatchState {
  /** What no relay can cure. */
  readonly browserProblem: string | undefined;
  /** The player's code could not be fetched. */
  readonly noPlayer: boolean;
  /** What is said of the relay when it does not let us in. */
  readonly relay: Pick<RelaySaid, "text" | "kind"> | undefined;
  /** The broadcast that is to be shown. */
  readonly name: string;
  /** Whether it is announced now, and whether it was before. */
  readonly announced: boolean;
  readonly wasAnnounced: boolean;
  /** Absent while the player is being fetched. */
  readonly player: {
    readonly link: "connecting" | "connected" | "disconnected";
    readonly broadcast: "offline" | "loading" | "live";
    readonly unsupported: boolean;
    readonly playing: boolean;
  } | undefined;
  /** Nothing in it can be played: the page shows what its tracks send. */
  readonly shownAsData: boolean;
  /** There was a session before. */
  readonly wasConnected: boolean;
  /** For so long there has been no session, in milliseconds. */
  readonly unconnectedMs: number;
}

export interface Said {
  readonly text: string;
  /** "wait" gets better by itself, "problem" needs somebody. */
  readonly kind: "wait" | "problem";
}

/** A session that takes longer than this is in trouble. */
const TROUBLE_MS = 4000;

/** One sentence or two: what is going on, and what to do about it. `undefined` while all is well. */
export function watchSaid(state: WatchState): Said | undefined {
  const { player } = state;
  const name = inSentence(state.name);
  if (state.browserProblem !== undefined) return problem(state.browserProblem);
  if (state.noPlayer) {
    return problem(
      "This server has no player with it: start it from source, or watch with another player.",
    );
  }
  if (state.relay !== undefined) return { text: state.relay.text, kind: state.relay.kind };
  if (player === undefined) return wait("Fetching the player …");
  if (player.link !== "connected") {
    if (state.wasConnected) return wait("The connection to the relay was lost. Connecting again …");
    if (state.unconnectedMs < TROUBLE_MS) return wait("Connecting …");
    return problem(
      "The relay answers, but the media connection fails. Either something blocks UDP to its port, or this browser " +
        "does not accept its certificate: reload the page to fetch the certificate's hash again. The page keeps trying.",
    );
  }
  if (!state.announced) {
    return state.wasAnnounced
      ? wait(
        `${name} has ended. It plays again by itself when it begins again. The list shows others.`,
      )
      : wait(`Waiting for ${name} to begin. Nobody publishes it now.`);
  }
  if (player.unsupported) {
    return problem(
      `This browser cannot decode the video of ${name}. Try another browser, or publish it as H.264, VP9 or AV1.`,
    );
  }
  if (state.shownAsData) {
    return wait(`${name} has nothing that this page can play. Below is what its tracks send.`);
  }
  return player.playing ? undefined : wait("Waiting for the first picture …");
}

const wait = (text: string): Said => ({ text, kind: "wait" });
const problem = (text: string): Said => ({ text, kind: "problem" });
