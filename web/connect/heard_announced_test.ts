import assert from "node:assert/strict";
import { collectAnnounced } from "./heard_announced.ts";

/** A source that is written by hand, and timers that are run by hand. */
function source() {
  const waiting: { path: string; active: boolean }[] = [];
  let wake = Promise.withResolvers<void>();
  let closed = false;
  const timers: (() => void)[] = [];
  const told: (readonly string[] | undefined)[] = [];
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  const end = () => {
    closed = true;
    wake.resolve();
  };
  collectAnnounced(
    {
      announced: () => ({
        async next() {
          for (;;) {
            if (waiting.length > 0) return waiting.shift();
            if (closed) return undefined;
            await wake.promise;
            wake = Promise.withResolvers();
          }
        },
      }),
    },
    (live) => told.push(live),
    (run) => timers.push(run),
  );
  return {
    told,
    end,
    turn,
    async says(...events: readonly [sign: "+" | "-", path: string][]) {
      waiting.push(...events.map(([sign, path]) => ({ path, active: sign === "+" })));
      wake.resolve();
      await turn();
      for (const run of timers.splice(0)) run();
    },
  };
}

Deno.test("collectAnnounced() tells a burst of announcements once, sorted, and each change after it", async () => {
  const { told, says, end, turn } = source();
  await says(["+", "b"], ["+", "a"], ["+", ""], ["+", "c"]);
  await says(["-", "b"]);
  assert.deepEqual(told, [["a", "b", "c"], ["a", "c"]]);
  end();
  await turn();
});

Deno.test("collectAnnounced() knows nothing where all is taken back, and where the session is over", async () => {
  const { told, says, end, turn } = source();
  await says(["+", "a"]);
  await says(["-", "a"]);
  await says(["+", "a"]);
  end();
  await turn();
  assert.deepEqual(told, [["a"], undefined, ["a"], undefined]);
});
