/// <reference lib="dom" />
/** What the relay that served this page answers: whether it lets us in, and what is live. */
import { useEffect, useState } from "preact/hooks";
import { needsSomebody, type RelayState, stateOf } from "./access.ts";
import { otherNodes, pageAccess } from "./page_access.ts";
import { heardLive, onHeard } from "./heard_announced.ts";

const POLL_MS = 2000;
/** While a session hears what is live, the page only asks whether the relay lets it in, and lets it publish. */
const HEARD_POLL_MS = 10_000;
/** How often the other nodes of the cluster are asked for. */
const NODES_MS = 30_000;
/** Each refusal is a line in the relay's log. */
const REFUSED_POLL_MS = 15_000;

export interface Announced {
  /** Names of live broadcasts, as of the last good answer; absent until there is one. */
  readonly live: readonly string[] | undefined;
  /** How the last question was answered. */
  readonly state: RelayState | "asking";
  /** Whether anything may be published here; true until the relay says otherwise. */
  readonly mayPublish: boolean;
}

const ASKING: Announced = { live: undefined, state: "asking", mayPublish: true };

/** What is live now. Asks again and again while the page is visible. */
export function useAnnounced(): Announced {
  const [announced, setAnnounced] = useState<Announced>(ASKING);
  useEffect(() => {
    const access = pageAccess();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let turn = 0;
    let askNodesAtMs = 0;
    let { origin } = access;
    const poll = async () => {
      const mine = ++turn;
      clearTimeout(timer);
      const next = await askAnnounced();
      // An answer to an older question is dropped: the token may have changed since.
      if (mine !== turn) return;
      // A session's list is newer.
      const told = next.state === "ok" && heardLive();
      setAnnounced((before) => ({
        live: before.live,
        mayPublish: before.mayPublish,
        ...next,
        ...(told && { live: told }),
      }));
      timer = setTimeout(again, pauseAfter(next.state));
      if (next.state === "silent" || next.state === "unavailable") void otherNodes().move();
      else if (performance.now() >= askNodesAtMs) {
        askNodesAtMs = performance.now() + NODES_MS;
        void otherNodes().learn();
      }
    };
    const again = () => {
      if (document.hidden) timer = setTimeout(again, POLL_MS);
      else void poll();
    };
    const onVisible = () => document.hidden || void poll();
    const onAccess = () => {
      // At another node we are who we were.
      if (access.origin === origin) setAnnounced(ASKING);
      origin = access.origin;
      askNodesAtMs = 0;
      void poll();
    };
    void poll();
    const unwatch = access.watch(onAccess);
    const unhear = onHeard((live) => {
      if (live === undefined) void poll();
      else setAnnounced((before) => ({ ...before, live }));
    });
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      turn++;
      clearTimeout(timer);
      unwatch();
      unhear();
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, []);
  return announced;
}

function pauseAfter(state: RelayState): number {
  if (needsSomebody(state)) return REFUSED_POLL_MS;
  return state === "ok" && heardLive() !== undefined ? HEARD_POLL_MS : POLL_MS;
}

async function askAnnounced(): Promise<Partial<Announced> & { readonly state: RelayState }> {
  const access = pageAccess();
  const shown = access.token !== undefined;
  try {
    const answer = await access.ask("announced", "", { signal: AbortSignal.timeout(10_000) });
    const state = stateOf(answer.status, shown);
    const text = await answer.text();
    // The list belonged to a token that is no longer good.
    if (needsSomebody(state)) return { state, live: undefined };
    if (state !== "ok") return { state };
    const rights = answer.headers.get("qumo-rights");
    return {
      state,
      live: text.split("\n").filter((name) => name !== ""),
      mayPublish: rights === null || rights.split(" ").includes("publish"),
    };
  } catch {
    return { state: "silent" };
  }
}
