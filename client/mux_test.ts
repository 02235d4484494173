import assert from "node:assert/strict";
import { NotFound } from "../relay/errors.ts";
import { join, testRelay, tick, Viewer } from "../session/peers_test.ts";
import { memoryPair } from "../transport/memory/memory.ts";
import { Client } from "./client.ts";
import { Server } from "./serve.ts";
import { type MuxRequest, TrackMux } from "./mux.ts";
import type { TrackProducer } from "./publish.ts";

async function served(mux: TrackMux) {
  const at = testRelay();
  const publisher = await join(at, 6, {}, { mux });
  const viewer = await join(at, 6);
  await tick();
  return { at, publisher: publisher.client, viewer: viewer.client };
}

Deno.test("a handler is called for what is read at its path, and told when nobody reads any more", async () => {
  const mux = new TrackMux();
  const calls: [MuxRequest, TrackProducer][] = [];
  mux.handle("/room/alice/", (request, track) => {
    calls.push([request, track]);
    track.write(`${request.track} ${calls.length}`);
  });
  const { at, viewer } = await served(mux);
  const news = viewer.announced();
  assert.deepEqual((await news.next())?.path, "room/alice");
  const one = new Viewer(viewer.subscribe("room/alice", "chat", { priority: 200 }));
  await tick();
  const two = new Viewer(viewer.subscribe("room/alice", "chat"));
  await tick();
  assert.deepEqual([one.text(0), two.text(0), calls.length], ["chat 1", "chat 1", 1]);
  const [{ path, track, wildcards, wanted, signal }, producer] = calls[0]!;
  assert.deepEqual([path, track, wildcards], ["room/alice", "chat", []]);
  assert.equal(wanted.priority, 200);
  producer.write("more");
  await tick();
  assert.equal(two.text(1), "more");
  one.subscription.close();
  await tick();
  assert.equal(signal.aborted, false);
  two.subscription.close();
  await tick();
  assert.equal(signal.aborted, true);
  producer.write("nobody reads this");

  const again = new Viewer(viewer.subscribe("room/alice", "chat"));
  await tick();
  assert.deepEqual([again.text(0), calls.length], ["chat 2", 2]);
  producer.write("the first call writes on, and reaches nobody");
  calls[1]![1].write("second");
  await tick();
  assert.deepEqual([again.text(1), [...again.groups.keys()]], ["second", [0, 1]]);
  await at.relay.close();
});

Deno.test("of the patterns that fit, the one with the earlier fixed segment answers", async () => {
  const mux = new TrackMux();
  const answer = (name: string) =>
    mux.handle(name, ({ wildcards }, track) => track.write(`${name}: ${wildcards.join()}`));
  ["a/b", "a/*", "a/**", "a/*/c", "a/b/**", "x/*/z/**"].forEach(answer);
  const { at, viewer } = await served(mux);
  const said = async (path: string) => {
    const watch = new Viewer(viewer.subscribe(path, "t", { waitMs: 0 }));
    await tick(2);
    return watch.end ?? watch.text(0);
  };
  assert.equal(await said("a/b"), "a/b: ");
  assert.equal(await said("a/q"), "a/*: q");
  assert.equal(await said("a"), "a/**: ");
  assert.equal(await said("a/q/c"), "a/*/c: q");
  assert.equal(await said("a/b/c"), "a/b/**: c");
  assert.equal(await said("a/q/d/e"), "a/**: q/d/e");
  assert.equal(await said("x/1/z/2/3"), "x/*/z/**: 1,2/3");
  assert.equal(await said("x/1/y"), "unannounced");
  assert.equal(await said("other"), "unannounced");
  await at.relay.close();
});

Deno.test("patterns are announced by their fixed part, once, and taken back with the last of them", async () => {
  const mux = new TrackMux();
  const first = mux.handle("room/*", () => {});
  const { at, viewer } = await served(mux);
  const second = mux.handle("room/**", () => {});
  mux.handle("hall", () => {});
  await tick();
  const news = viewer.announced();
  const next = async () => {
    const { path, active } = (await news.next())!;
    return `${active ? "+" : "-"}${path}`;
  };
  assert.deepEqual([await next(), await next()].sort(), ["+hall", "+room"]);
  first.close();
  first.close();
  await tick();
  second[Symbol.dispose]();
  assert.equal(await next(), "-room");
  assert.throws(() => mux.handle("/hall", () => {}), RangeError);
  assert.throws(() => mux.handle("a/**/b", () => {}), RangeError);
  await at.relay.close();
});

Deno.test("a mux lets go of a client that is over, or never came to be", async () => {
  const mux = new TrackMux();
  const bound = new Set<Disposable>();
  const bind = mux.bind.bind(mux);
  mux.bind = (origin) => {
    const one = bind(origin);
    bound.add(one);
    return { [Symbol.dispose]: () => (bound.delete(one), one[Symbol.dispose]()) };
  };
  const refused = () => Promise.reject(new Error("away"));
  await assert.rejects(Client.dial("moqt://a/", refused, { mux }));
  const [gone] = memoryPair({ protocol: "moqt-99" });
  await assert.rejects(Client.over(gone, { mux }));
  const { at, publisher } = await served(mux);
  assert.equal(bound.size, 1);
  await publisher.close();
  const server = new Server({ mux });
  assert.equal(bound.size, 1);
  await server.close();
  assert.equal(bound.size, 0);
  await at.relay.close();
});

Deno.test("a handler refuses a track with NotFound, and gives it up with anything else", async () => {
  const mux = new TrackMux();
  mux.handle("a", async (request, track) => {
    if (request.track === "unknown") throw new NotFound(`track ${request.track}`);
    track.write("seen");
    await tick();
    throw new Error("the camera is gone");
  });
  const { at, viewer } = await served(mux);
  const [unknown, broken] = ["unknown", "v"].map((t) => new Viewer(viewer.subscribe("a", t)));
  await tick(3);
  assert.deepEqual([unknown!.end, broken!.text(0)], ["not-found", "seen"]);
  assert.ok(broken!.end === "lost");
  await at.relay.close();
});

Deno.test("a track that its handler ends is ended for its readers, and begun anew for the next", async () => {
  const mux = new TrackMux();
  let calls = 0;
  mux.handle("a", async ({ signal }, track) => {
    calls++;
    track.write("all there is");
    track.close();
    await Promise.resolve();
    assert.equal(signal.aborted, true);
  }, { info: { timescale: 90_000 } });
  const { at, viewer } = await served(mux);
  for (const call of [1, 2]) {
    const watch = new Viewer(viewer.subscribe("a", "v"));
    await tick(2);
    assert.deepEqual([watch.text(0), watch.end, calls], ["all there is", "ended", call]);
  }
  assert.equal((await viewer.trackInfo("a", "v")).timescale, 90_000);
  at.clock.advance(60_000);
  await at.relay.close();
});
