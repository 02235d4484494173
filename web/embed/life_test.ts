import assert from "node:assert/strict";
import { type EmbedState, Life, type Observed } from "./life.ts";

const SEEN: Observed = {
  connected: true,
  broadcast: "live",
  frames: 0,
  audioBytes: 0,
  soundOnly: false,
  paused: false,
};

/** States that a player goes through, one look a quarter of a second. */
function states(looks: readonly Partial<Observed>[]): EmbedState[] {
  const life = new Life();
  return looks.flatMap((look, i) => life.look({ ...SEEN, ...look }, i * 250) ?? []);
}
const times = (n: number, look: Partial<Observed>) => Array.from({ length: n }, () => look);
const moving = (n: number, from = 1) => Array.from({ length: n }, (_, i) => ({ frames: from + i }));

Deno.test("Life: a broadcast that begins later is offline, waiting, playing, ended, playing", () => {
  const off = { broadcast: "offline" } as const;
  assert.deepEqual(
    states([
      ...times(2, { connected: false, ...off }),
      ...times(6, off),
      ...times(2, {}),
      ...moving(4),
      ...times(8, { ...off, frames: 4 }),
      ...moving(3, 5),
    ]),
    ["offline", "waiting", "playing", "ended", "playing"],
  );
});

Deno.test("Life: a broadcast that was announced within a second is never said to be offline", () => {
  const off = { broadcast: "offline" } as const;
  assert.deepEqual(states([...times(4, off), ...moving(2)]), ["playing"]);
});

Deno.test("Life: a picture that stands still is waiting, and plays on", () => {
  const still = times(8, { frames: 3 });
  assert.deepEqual(states([...moving(3), ...still, ...moving(2, 4)]), [
    "playing",
    "waiting",
    "playing",
  ]);
});

Deno.test("Life: a session that is made anew within its frames goes unseen, a longer one does not", () => {
  const gone = { connected: false, frames: 3 } as const;
  assert.deepEqual(states([...moving(3), ...times(4, gone), ...moving(2, 4)]), ["playing"]);
  assert.deepEqual(states([...moving(3), ...times(8, gone)]), ["playing", "connecting"]);
});

Deno.test("Life: sound alone plays while it is muted, and a pause is a pause", () => {
  assert.deepEqual(states([...times(2, { soundOnly: true }), ...times(2, { paused: true })]), [
    "playing",
    "paused",
  ]);
});
