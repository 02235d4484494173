import assert from "node:assert/strict";
import { topFunctions } from "./cpu_profile.ts";
import { growth, heldByKind } from "./heap_snapshot.ts";

const frame = (functionName: string, url = "", lineNumber = 0) => ({
  functionName,
  url,
  lineNumber,
});

Deno.test("topFunctions() adds up a function's time from wherever it was called, the most first", () => {
  const top = topFunctions({
    nodes: [
      { id: 1, callFrame: frame("(idle)") },
      { id: 2, callFrame: frame("pump", "file:///x/group_sender.ts", 67) },
      { id: 3, callFrame: frame("pump", "file:///x/group_sender.ts", 67) },
    ],
    samples: [1, 2, 3, 2],
    timeDeltas: [1000, 500, 1500, 1000],
  });
  assert.deepEqual(top, [
    { where: "pump group_sender.ts:68", ms: 3, share: 0.75 },
    { where: "(idle)", ms: 1, share: 0.25 },
  ]);
});

Deno.test("heldByKind() counts objects by constructor and everything else by type; growth() shows what came", () => {
  const heap = (nodes: number[]) => ({
    snapshot: {
      meta: {
        node_fields: ["type", "name", "id", "self_size"],
        node_types: [["hidden", "object", "closure"], "string", "number", "number"],
      },
    },
    nodes,
    strings: ["Session", "pump"],
  });
  const before = heldByKind(heap([1, 0, 1, 100]));
  const after = heldByKind(heap([1, 0, 1, 100, 1, 0, 3, 140, 2, 1, 5, 32]));
  assert.deepEqual(after, [
    { kind: "Session", count: 2, bytes: 240 },
    { kind: "(closure)", count: 1, bytes: 32 },
  ]);
  assert.deepEqual(growth(before, after), [
    { kind: "Session", count: 1, bytes: 140 },
    { kind: "(closure)", count: 1, bytes: 32 },
  ]);
});
