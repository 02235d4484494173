/// <reference lib="dom" />
/** The player's life in the watch view: made when it is needed, looked at four times a second. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { PlayerElement, PlayerSnapshot } from "./player.ts";
import { pinnedHash } from "../connect/connect_to.ts";
import { otherNodes, pageAccess } from "../connect/page_access.ts";
import { hear } from "../connect/heard_announced.ts";

type PlayerModule = typeof import("./player.ts");

const LOOK_MS = 250;
/** Every so many looks a point is added to the graphs. */
const LOOKS_PER_POINT = 4;
const MAX_POINTS = 90;
/** A player without a session for this long looks for another node. */
const ELSEWHERE_MS = 3000;

/** What is drawn: one number for each point in time. */
export interface Trace {
  /** Seconds since 1970. */
  readonly at: readonly number[];
  readonly latencyMs: readonly (number | null)[];
  readonly bufferMs: readonly (number | null)[];
  readonly roundTripMs: readonly (number | null)[];
}

export interface Rates {
  readonly videoBits: number;
  readonly audioBits: number;
  readonly framesPerSecond: number;
}

export interface Playing {
  readonly module: PlayerModule | undefined;
  readonly element: PlayerElement | undefined;
  readonly failed: boolean;
  readonly snapshot: PlayerSnapshot | undefined;
  readonly rates: Rates;
  readonly trace: Trace;
  readonly wasConnected: boolean;
  readonly unconnectedMs: number;
}

const NO_RATES: Rates = { videoBits: 0, audioBits: 0, framesPerSecond: 0 };
const NO_TRACE: Trace = { at: [], latencyMs: [], bufferMs: [], roundTripMs: [] };

/**
 * Keeps a player for a broadcast in an element of the page.
 *
 * @param name The broadcast; the player is made when there is one for the first time.
 * @param welcome Whether the relay lets us in: nothing is dialed while it does not.
 */
export function usePlayer(
  place: { readonly current: HTMLElement | null },
  name: string | undefined,
  welcome: boolean,
): Playing {
  const [module, setModule] = useState<PlayerModule>();
  const [failed, setFailed] = useState(false);
  const [element, setElement] = useState<PlayerElement>();
  const [view, setView] = useState<Omit<Playing, "module" | "element" | "failed">>({
    snapshot: undefined,
    rates: NO_RATES,
    trace: NO_TRACE,
    wasConnected: false,
    unconnectedMs: 0,
  });
  const wanted = name !== undefined;
  const hash = useRef<string | undefined>(undefined);

  useEffect(() => {
    if (!wanted || module !== undefined) return;
    import("./player.ts").then(setModule, () => setFailed(true));
  }, [wanted]);

  useEffect(() => {
    if (module === undefined || place.current === null || element !== undefined) return;
    const visible = new URLSearchParams(location.search).get("visible") ?? undefined;
    const made = module.createPlayer({ hash: () => hash.current, visible });
    place.current.append(made);
    hear(made.connection);
    setElement(made);
  }, [module, wanted]);

  useEffect(() => {
    if (element === undefined) return;
    if (name === undefined) element.removeAttribute("name");
    else element.setAttribute("name", name);
    setView((before) => ({ ...before, trace: NO_TRACE, rates: NO_RATES }));
  }, [element, name]);

  // The certificate may be another one by the time the session is lost.
  const link = view.snapshot?.link;
  const [dialed, setDialed] = useState(pageAccess().dialed);
  useEffect(() => pageAccess().watch(() => setDialed(pageAccess().dialed)), []);
  useEffect(() => {
    if (element === undefined) return;
    if (!welcome) return element.removeAttribute("url");
    let over = false;
    const dial = (found?: string) => {
      hash.current = found;
      if (!over) element.setAttribute("url", pageAccess().dialed);
    };
    if (location.protocol === "https:" && link !== "connected") {
      void pinnedHash(pageAccess()).then(dial);
    } else dial(hash.current);
    return () => {
      over = true;
    };
  }, [element, dialed, welcome, link]);

  // A node that is full or leaving still serves this page.
  const apart = welcome && element !== undefined && view.unconnectedMs > ELSEWHERE_MS;
  useEffect(() => {
    if (!apart) return;
    const look = () => void otherNodes().move();
    look();
    const timer = setInterval(look, ELSEWHERE_MS);
    return () => clearInterval(timer);
  }, [apart]);

  const looks = useRef({ count: 0, connected: false, sinceMs: performance.now() });
  const last = useRef<
    { readonly atMs: number; readonly snapshot: PlayerSnapshot } | undefined
  >(undefined);
  useEffect(() => {
    if (element === undefined || module === undefined) return;
    const state = looks.current;
    state.sinceMs = performance.now();
    const look = () => {
      const snapshot = module.snapshotOf(element);
      const nowMs = performance.now();
      module.adapt(element, snapshot, nowMs);
      if (snapshot.link === "connected") {
        state.connected = true;
        state.sinceMs = nowMs;
      }
      const point = state.count++ % LOOKS_PER_POINT === 0;
      const before = last.current;
      if (point) last.current = { atMs: nowMs, snapshot };
      setView((view) => ({
        snapshot,
        wasConnected: state.connected,
        unconnectedMs: nowMs - state.sinceMs,
        rates: point && before !== undefined
          ? ratesOf(before.snapshot, snapshot, nowMs - before.atMs)
          : view.rates,
        trace: point ? extended(view.trace, snapshot) : view.trace,
      }));
    };
    look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [element]);

  return { module, element, failed, ...view };
}

function ratesOf(before: PlayerSnapshot, now: PlayerSnapshot, ms: number): Rates {
  // A player that restarts counts from zero again.
  const perSecond = (from: number, to: number) => Math.max(0, to - from) / (ms / 1000);
  return {
    videoBits: 8 * perSecond(before.videoBytes, now.videoBytes),
    audioBits: 8 * perSecond(before.audioBytes, now.audioBytes),
    framesPerSecond: perSecond(before.videoFrames, now.videoFrames),
  };
}

function extended(trace: Trace, snapshot: PlayerSnapshot): Trace {
  const playing = snapshot.broadcast === "live";
  const add = <T>(to: readonly T[], value: T) => [...to.slice(1 - MAX_POINTS), value];
  return {
    at: add(trace.at, Date.now() / 1000),
    latencyMs: add(trace.latencyMs, playing ? snapshot.latencyMs ?? snapshot.heldMs ?? null : null),
    bufferMs: add(trace.bufferMs, playing ? snapshot.bufferMs : null),
    roundTripMs: add(trace.roundTripMs, playing ? snapshot.roundTripMs ?? null : null),
  };
}
