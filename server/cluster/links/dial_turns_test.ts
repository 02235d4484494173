import assert from "node:assert/strict";
import { tick } from "../../../session/peers_test.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { DialTurns, MOST_DIALS } from "./dial_turns.ts";

/** Dials that last until they are answered, by name, in the order in which they begin. */
class Stage {
  readonly clock = new ManualClock();
  readonly turns = new DialTurns(this.clock);
  readonly stop = new AbortController();
  readonly begun: string[] = [];
  readonly #dials = new Map<string, PromiseWithResolvers<void>>();

  dial(name: string, again = false): void {
    const dial = Promise.withResolvers<void>();
    this.#dials.set(name, dial);
    const begin = () => (this.begun.push(name), dial.promise);
    this.turns.take(again, begin, this.stop.signal).catch(() => {});
  }

  async fill(): Promise<void> {
    for (let i = 0; i < MOST_DIALS; i++) this.dial(`dead${i}`);
    await tick(2);
  }

  /** @returns What has begun since. */
  async after(what: () => void): Promise<string[]> {
    this.begun.splice(0);
    what();
    await tick(2);
    return this.begun.splice(0);
  }

  answer = (name: string) => this.#dials.get(name)!.resolve();
  refuse = (name: string) => this.#dials.get(name)!.reject(new Error("refused"));
}

Deno.test("of thousands of nodes a few are dialed at once; who was linked before goes first", async () => {
  const stage = new Stage();
  await stage.fill();
  for (let i = 0; i < 9; i++) stage.dial(`new${i}`);
  stage.dial("known", true);
  await tick(2);
  assert.equal(stage.begun.length, MOST_DIALS);
  assert.deepEqual(await stage.after(() => stage.answer("dead0")), ["known"]);
  assert.deepEqual(await stage.after(() => stage.answer("known")), ["new0"]);
});

Deno.test("nodes that refuse at once are not dialed by the thousand", async () => {
  const stage = new Stage();
  await stage.fill();
  stage.dial("next");
  assert.deepEqual(await stage.after(() => stage.refuse("dead0")), []);
  assert.deepEqual(await stage.after(() => stage.clock.advance(499)), []);
  assert.deepEqual(await stage.after(() => stage.clock.advance(1)), ["next"]);
  stage.dial("slow");
  assert.deepEqual(await stage.after(() => stage.refuse("dead1")), ["slow"], "it took its time");
});

Deno.test("a node that is not wanted any more waits for no turn", async () => {
  const stage = new Stage();
  await stage.fill();
  stage.dial("gone");
  assert.deepEqual(await stage.after(() => stage.stop.abort()), []);
  assert.deepEqual(await stage.after(() => stage.answer("dead0")), []);
});
