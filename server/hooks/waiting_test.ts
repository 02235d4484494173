import assert from "node:assert/strict";
import type { HookEventName } from "../../config/hook_list.ts";
import type { HookEvent } from "./event.ts";
import { PAUSE_MS, Waiting } from "./waiting.ts";

let serial = 0;
const event = (event: HookEventName, broadcast = "a"): HookEvent => ({
  ...{ id: String(serial++), event, broadcast, at: "", relay: "1" },
});

const named = (found: HookEvent | undefined) => found && `${found.event} ${found.broadcast}`;

Deno.test("Waiting gives one event of a broadcast at a time, and pauses behind each", () => {
  const waiting = new Waiting(10);
  for (const name of ["publish", "first_viewer"] as const) waiting.add(event(name));
  waiting.add(event("publish", "b"));
  assert.equal(named(waiting.next(0)), "publish a");
  assert.equal(named(waiting.next(0)), "publish b");
  assert.equal(waiting.next(0), undefined);
  assert.equal(waiting.nextMs(), undefined);
  waiting.done("a", 100);
  assert.equal(waiting.nextMs(), 100 + PAUSE_MS);
  assert.equal(waiting.next(99 + PAUSE_MS), undefined);
  assert.equal(named(waiting.next(100 + PAUSE_MS)), "first_viewer a");
});

Deno.test("Waiting forgets what took itself back, so that each pair is heard in turn", () => {
  const waiting = new Waiting(10);
  assert.equal(waiting.add(event("publish")), "waits");
  assert.equal(named(waiting.next(0)), "publish a");
  // Told of a publication: whatever happens now, an end comes next or nothing does.
  for (let i = 0; i < 1000; i++) {
    waiting.add(event("unpublish"));
    waiting.add(event("publish"));
  }
  assert.equal(waiting.size, 0);
  waiting.add(event("unpublish"));
  assert.equal(waiting.add(event("unpublish")), "coalesced");
  assert.equal(waiting.add(event("first_viewer")), "waits");
  assert.equal(waiting.size, 2);
  waiting.done("a", 0);
  assert.equal(named(waiting.next(PAUSE_MS)), "unpublish a");
});

Deno.test("Waiting is bounded over all broadcasts and for each of them", () => {
  const waiting = new Waiting(20);
  const recordings = Array.from({ length: 30 }, () => waiting.add(event("recording_done")));
  assert.equal(recordings.filter((accepted) => accepted === "waits").length, 16);
  const others = Array.from(
    { length: 30 },
    (_, i) => waiting.add(event("publish", `other/${i}`)),
  );
  assert.equal(others.filter((accepted) => accepted === "waits").length, 4);
  assert.equal(waiting.size, 20);
  assert.equal(waiting.clear(), 20);
  assert.equal(waiting.next(0), undefined);
});
