import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import type { Broadcast } from "./broadcast.ts";
import { Watchers } from "./watchers.ts";

Deno.test("Watchers visit for one change those who asked for its path, and nobody else", () => {
  let visits = 0;
  const current = () => void visits++ as undefined;
  const watchers = new Watchers({ current, below: () => [] }, new ManualClock());
  const all = Array.from(
    { length: 1000 },
    (_, i) => watchers.add({ prefix: `room/${i}` }, () => {}),
  );
  watchers.tell("other/7/cam");
  watchers.tell("room");
  assert.equal(visits, 0);
  watchers.tell("room/7/cam");
  assert.equal(visits, 1);
  const above = watchers.add({ prefix: "room" }, () => {});
  watchers.tell("room/7");
  assert.equal(visits, 3);
  all[7]!.close();
  above.close();
  above.close();
  watchers.tell("room/7");
  assert.equal(visits, 3);
});

Deno.test("a watcher that cannot take more is told each path once, as it is when it can", () => {
  const there = new Map<string, Broadcast>();
  const current = (path: string) => there.get(path);
  const watchers = new Watchers({ current, below: () => [] }, new ManualClock());
  let room = 1;
  const heard: string[] = [];
  const watch = watchers.add({ ready: () => room > 0 }, ({ kind, path }) => {
    room--;
    heard.push(`${kind} ${path}`);
  });
  const set = (path: string, order?: number) => {
    if (order === undefined) there.delete(path);
    else there.set(path, broadcastAt(path, order));
    watchers.tell(path);
  };
  set("a", 1);
  for (let i = 0; i < 100; i++) {
    set("a");
    set("a", 2);
    set("b", 1);
    set("gone", 1);
    set("gone");
  }
  set("a");
  assert.deepEqual(heard, ["active a"]);
  room = 1;
  watch.catchUp();
  assert.deepEqual(heard.splice(0), ["active a", "ended a"]);
  room = 9;
  watch.catchUp();
  watch.catchUp();
  set("b", 2);
  assert.deepEqual(heard, ["active b", "updated b"]);
});

function broadcastAt(path: string, order: number): Broadcast {
  const route = { hops: [BigInt(order)], warm: 0, cold: 0, order, source: {} };
  return { path, routes: [route], lingering: false } as unknown as Broadcast;
}
