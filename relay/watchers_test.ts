import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import type { Broadcast } from "./broadcast.ts";
import { type AnnounceEvent, UPDATE_HOLD_MS, Watchers } from "./watchers.ts";

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

Deno.test("watchers hear of an end and a beginning when a publisher begins anew, also those who could not take more", () => {
  const here = { path: "a", publisher: 1n, lingering: false, routes: [] as unknown[] };
  const broadcast = here as unknown as Broadcast;
  const watchers = new Watchers({ current: () => broadcast, below }, new ManualClock());
  here.routes = [...broadcastAt("a", 1).routes];
  let room = true;
  const heard: string[][] = [[], [], []];
  const news = (at: number) => ({ kind, path }: AnnounceEvent) =>
    heard[at]!.push(`${kind} ${path}`);
  watchers.add({}, news(0));
  const slow = watchers.add({ merged: true, ready: () => room }, news(1));
  watchers.add({ prefix: "b" }, news(2));
  room = false;
  watchers.renew(broadcast);
  watchers.renew({ ...broadcast, publisher: 2n } as Broadcast);
  assert.deepEqual(heard, [["active a", "ended a", "active a"], ["active a"], []]);
  room = true;
  slow.catchUp();
  slow.catchUp();
  assert.deepEqual(heard[1], ["active a", "ended a", "active a"]);
});

Deno.test("a peer that sees costs hears that a publisher was lost: the broadcast costs most; others hear nothing", () => {
  const clock = new ManualClock();
  const here = { path: "a", publisher: 1n, lingering: false, routes: [] as unknown[] };
  const watchers = new Watchers({ current: () => here as unknown as Broadcast, below }, clock);
  here.routes = [...broadcastAt("a", 1).routes];
  const heard: string[][] = [[], []];
  const news = (at: number) => ({ kind, route }: AnnounceEvent) =>
    heard[at]!.push(`${kind} ${route?.warm} ${route?.cold}`);
  watchers.add({ merged: true, priced: true }, news(0));
  watchers.add({ merged: true }, news(1));
  const routes = here.routes.splice(0);
  here.lingering = true;
  watchers.tell("a");
  clock.advance(UPDATE_HOLD_MS);
  watchers.tell("a");
  clock.advance(UPDATE_HOLD_MS);
  assert.deepEqual(heard, [["active 0 0", "updated Infinity Infinity"], ["active 0 0"]]);
  here.lingering = false;
  here.routes.push(...routes);
  watchers.tell("a");
  clock.advance(UPDATE_HOLD_MS);
  assert.deepEqual(heard[0]!.at(-1), "updated 0 0");
  assert.equal(heard[1]!.length, 1);
});

const below = (prefix: string) => prefix === "" ? ["a"] : [];

function broadcastAt(path: string, order: number): Broadcast {
  const route = { hops: [BigInt(order)], warm: 0, cold: 0, order, source: {} };
  return { path, routes: [route], lingering: false } as unknown as Broadcast;
}
