import assert from "node:assert/strict";
import { Mesh } from "./mesh.ts";

Deno.test("a mesh carries a track over three nodes, and tells nobody of a loss before it is noticed", async () => {
  await using mesh = new Mesh();
  const [a, b, c] = mesh.nodes("a", "b", "c");
  await mesh.link(b, a);
  const link = await mesh.link(c, b);
  const track = (await mesh.client(a)).publish("room").track("video");
  const viewer = mesh.watch(await mesh.client(c), "room", "video");
  await mesh.pass();
  track.write("g0");
  await mesh.pass();
  assert.equal(viewer.text(0), "g0");
  link.silence();
  track.write("g1");
  await mesh.pass(2000);
  assert.deepEqual(viewer.came, [0]);
  link.heal();
  await mesh.pass();
  assert.deepEqual(viewer.whole, [0, 1]);
  assert.deepEqual(mesh.between([a, b]).length, 1);
  mesh.kill(b);
  await mesh.pass();
  assert.deepEqual([a, b, c].map((node) => node.sessionCount), [1, 0, 1]);
});
