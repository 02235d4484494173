/** The states of an embedded player. It has no clock of its own: the time is passed in. */

export type EmbedState =
  /** No session with the relay. */
  | "connecting"
  /** Nobody publishes the broadcast, and nobody has yet. */
  | "offline"
  /** The broadcast is live, and no picture comes. */
  | "waiting"
  | "playing"
  | "paused"
  /** It played, and nobody publishes it any more. */
  | "ended";

/** What is seen of the player at one moment. */
export interface Observed {
  readonly connected: boolean;
  readonly broadcast: "offline" | "loading" | "live";
  /** Video frames shown since the player began, and bytes of sound received. */
  readonly frames: number;
  readonly audioBytes: number;
  /** There is sound and no video. Silence is then right while the player is muted. */
  readonly soundOnly: boolean;
  readonly paused: boolean;
}

/** Without a frame for so long the picture stands still. */
const STALL_MS = 1500;
/** An announcement may take so long to come after the session. */
const ANNOUNCE_MS = 1000;

export class Life {
  #state: EmbedState = "connecting";
  #frames = 0;
  #audioBytes = 0;
  #movedAtMs = -Infinity;
  #offlineSinceMs: number | undefined;
  #connectedBefore = false;
  #played = false;

  get state(): EmbedState {
    return this.#state;
  }

  /** @returns The state that begins now; `undefined` while the last one goes on. */
  look(seen: Observed, nowMs: number): EmbedState | undefined {
    // A player that restarts counts from zero again.
    if (seen.frames !== this.#frames || seen.audioBytes !== this.#audioBytes) {
      if (seen.frames > this.#frames || seen.audioBytes > this.#audioBytes) this.#movedAtMs = nowMs;
      this.#frames = seen.frames;
      this.#audioBytes = seen.audioBytes;
    }
    const next = this.#next(seen, nowMs);
    if (next === "playing") this.#played = true;
    if (next === undefined || next === this.#state) return undefined;
    this.#state = next;
    return next;
  }

  #next(seen: Observed, nowMs: number): EmbedState | undefined {
    if (!seen.connected) {
      this.#offlineSinceMs = undefined;
      // While the session is dialed again the picture goes on as long as there are frames.
      return this.#connectedBefore && this.#moves(nowMs) ? undefined : "connecting";
    }
    this.#connectedBefore = true;
    if (seen.broadcast === "offline") {
      this.#offlineSinceMs ??= nowMs;
      if (nowMs - this.#offlineSinceMs < ANNOUNCE_MS) return undefined;
      return this.#played ? "ended" : "offline";
    }
    this.#offlineSinceMs = undefined;
    if (seen.paused) return "paused";
    if (this.#moves(nowMs)) return "playing";
    return seen.soundOnly && seen.broadcast === "live" ? "playing" : "waiting";
  }

  #moves(nowMs: number): boolean {
    return nowMs - this.#movedAtMs < STALL_MS;
  }
}
