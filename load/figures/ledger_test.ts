import assert from "node:assert/strict";
import { Ledger } from "./ledger.ts";

function whole(ledger: Ledger, ...sequences: number[]): Ledger {
  for (const sequence of sequences) {
    ledger.begin(sequence);
    ledger.end(sequence, true);
  }
  return ledger;
}

Deno.test("Ledger counts holes, and what is missing at the end, as lost", () => {
  const ledger = whole(new Ledger(), 5, 6, 8, 9);
  assert.deepEqual(ledger.judge(), { seen: 4, lost: 1, repeated: 0, cut: 0 });
  assert.deepEqual(ledger.judge(12), { seen: 4, lost: 4, repeated: 0, cut: 0 });
});

Deno.test("Ledger does not miss what was before the first group that came, in whatever order they came", () => {
  assert.deepEqual(whole(new Ledger(), 7, 6, 5, 8).judge(8), {
    ...{ seen: 4, lost: 0, repeated: 0, cut: 0 },
  });
  assert.deepEqual(whole(new Ledger(), 1000, 3).judge().lost, 996);
});

Deno.test("Ledger judges nothing behind the last group it is told of", () => {
  const ledger = whole(new Ledger(), 5, 6);
  ledger.begin(9);
  assert.deepEqual(ledger.judge(6), { seen: 2, lost: 0, repeated: 0, cut: 0 });
});

Deno.test("Ledger counts streams that ended early, and those that never ended, as cut off", () => {
  const ledger = whole(new Ledger(), 1);
  ledger.begin(2);
  ledger.end(2, false);
  ledger.begin(3);
  assert.deepEqual(ledger.judge(3), { seen: 3, lost: 0, repeated: 0, cut: 2 });
  assert.equal(ledger.settled(3), false);
  ledger.end(3, true);
  assert.equal(ledger.settled(3), true);
});

Deno.test("Ledger counts a second stream of a group as repeated, and one whole stream is enough", () => {
  const ledger = whole(new Ledger(), 1, 1, 2);
  ledger.begin(2);
  ledger.end(2, false);
  assert.deepEqual(ledger.judge(), { seen: 2, lost: 0, repeated: 2, cut: 0 });
});

Deno.test("Ledger of a subscription that got nothing has nothing to judge, and is not settled", () => {
  assert.deepEqual(new Ledger().judge(10), { seen: 0, lost: 0, repeated: 0, cut: 0 });
  assert.equal(new Ledger().settled(10), false);
});
