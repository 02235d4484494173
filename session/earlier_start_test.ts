import assert from "node:assert/strict";
import { Mesh } from "../tests/support/mesh/mesh.ts";

for (const version of ["moq-lite-06", "moq-lite-05", "moq-lite-04"] as const) {
  Deno.test(`over ${version}, a reader gets groups before the first of the running subscription, once, and nobody else does`, async () => {
    await using mesh = new Mesh();
    const [a, b] = mesh.nodes("a", "b");
    await mesh.link(b, a, { version });
    const track = (await mesh.client(a, { hop: 9n })).publish("room").track("video");
    for (let i = 0; i < 4; i++) track.write(`${i}`);
    await mesh.pass(20);
    const live = mesh.watch(await mesh.client(b), "room", "video");
    await mesh.pass(20);
    assert.deepEqual(live.came, [3]);
    const client = await mesh.client(b);
    const late = mesh.watch(client, "room", "video", { startGroup: 1, maxLatencyMs: 5000 });
    await mesh.pass(20);
    track.write("4");
    await mesh.pass(20);
    assert.deepEqual(late.came.toSorted(), [1, 2, 3, 4]);
    assert.deepEqual(live.came, [3, 4]);
    assert.equal(a.stats.subscriptions, 1);
  });
}
