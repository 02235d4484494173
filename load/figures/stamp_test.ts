import assert from "node:assert/strict";
import { isLast, putStamp, sentMsOf, sentMsOfName, STAMP_BYTES, stampedName } from "./stamp.ts";

Deno.test("a stamp fits into the smallest frame and comes out as it went in", () => {
  const frame = new DataView(new ArrayBuffer(STAMP_BYTES));
  for (const last of [true, false]) {
    putStamp(frame, 1_795_217_586_600.987, last);
    assert.deepEqual([sentMsOf(frame), isLast(frame)], [1_795_217_586_600.987, last]);
  }
});

Deno.test("a stamped name tells its time to a microsecond; other names tell none", () => {
  const name = `run/0/${stampedName(17, 1_795_217_586_600.987)}`;
  assert.equal(sentMsOfName(name), 1_795_217_586_600.987);
  for (const other of ["", "run/0", "run/0/n1", "n1-", "n1-UP", "x/n1-abc/y"]) {
    assert.equal(sentMsOfName(other), undefined, other);
  }
});
