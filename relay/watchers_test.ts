import assert from "node:assert/strict";
import { ManualClock } from "../base/clock.ts";
import { Watchers } from "./watchers.ts";

Deno.test("Watchers visit for one change those who asked for its path, and nobody else", () => {
  let visits = 0;
  const current = () => void visits++ as undefined;
  const watchers = new Watchers({ current }, new ManualClock());
  const all = Array.from(
    { length: 1000 },
    (_, i) => watchers.add({ prefix: `room/${i}` }, () => {}, () => []),
  );
  watchers.tell("other/7/cam");
  watchers.tell("room");
  assert.equal(visits, 0);
  watchers.tell("room/7/cam");
  assert.equal(visits, 1);
  const above = watchers.add({ prefix: "room" }, () => {}, () => []);
  watchers.tell("room/7");
  assert.equal(visits, 3);
  all[7]!.close();
  above.close();
  above.close();
  watchers.tell("room/7");
  assert.equal(visits, 3);
});
