import assert from "node:assert/strict";
import { ViewerWatch } from "./viewers.ts";

const of = (...paths: string[]) => new Set(paths);

Deno.test("ViewerWatch tells the first viewer once, and the last after the linger", () => {
  const watch = new ViewerWatch(1000);
  assert.deepEqual(watch.look(of("a", "b"), 0), [
    { event: "first_viewer", broadcast: "a" },
    { event: "first_viewer", broadcast: "b" },
  ]);
  assert.deepEqual(watch.look(of("a", "b"), 500), []);
  assert.deepEqual(watch.look(of("b"), 1000), []);
  assert.deepEqual(watch.look(of("b"), 1999), []);
  assert.deepEqual(watch.look(of("b"), 2000), [{ event: "last_viewer", broadcast: "a" }]);
  assert.deepEqual(watch.look(of("b"), 9000), []);
});

Deno.test("ViewerWatch takes a viewer that reconnects within the linger for one that stayed", () => {
  const watch = new ViewerWatch(1000);
  watch.look(of("a"), 0);
  for (let at = 500; at < 10_000; at += 500) {
    assert.deepEqual(watch.look(at % 1000 === 0 ? of("a") : of(), at), []);
  }
});

Deno.test("ViewerWatch without linger tells the last viewer at once, and the next first one again", () => {
  const watch = new ViewerWatch(0);
  watch.look(of("a"), 0);
  assert.deepEqual(watch.look(of(), 1), [{ event: "last_viewer", broadcast: "a" }]);
  assert.deepEqual(watch.look(of("a"), 2), [{ event: "first_viewer", broadcast: "a" }]);
});
