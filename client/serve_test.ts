import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { lite, tick, VERSIONS, Viewer } from "../session/peers_test.ts";
import { type MemoryConnection, memoryPair } from "../transport/memory/memory.ts";
import type { LiteVersion } from "../wire/lite/dialect.ts";
import { Client, type ClientOptions } from "./client.ts";
import { TrackMux } from "./mux.ts";
import { Server, type ServerOptions } from "./serve.ts";
import type { ServerSession } from "./server_session.ts";
import { alpnOf } from "../wire/versions.ts";

function serving(options: ServerOptions) {
  const clock = new ManualClock();
  const server = new Server({ clock, ...options });
  const join = async (version: LiteVersion = 6, more: ClientOptions = {}, path = "/") => {
    const [near, far] = memoryPair({ protocol: alpnOf(lite(version).name), path });
    const over = server.accept(far);
    const client = await Client.over(near, {
      versions: [lite(version).name],
      clock,
      path,
      ...more,
    });
    await tick();
    return { client, near, far, over };
  };
  return { server, clock, join };
}

function assertClean(...ends: MemoryConnection[]): void {
  for (const end of ends) assert.deepEqual(end.openStreams, { sending: 0, receiving: 0 });
}

for (const version of VERSIONS) {
  Deno.test(`0${version}: a session reads from its peer and publishes to it alone`, async () => {
    const opened: ServerSession[] = [];
    const { server, join } = serving({
      onsession: async (session) => {
        opened.push(session);
        session.publish("for you").track("t").write(`you are ${session.remoteAddress}`);
        for await (const { path, active } of session.announced()) {
          if (!active) continue;
          const group = await session.subscribe(path, "t").group();
          const frame = await group!.frame();
          const text = new TextDecoder().decode(frame!.payload);
          session.publish(`echo/${path}`).track("t").write(text.toUpperCase());
        }
      },
    });
    server.publish("for all").track("t").write("hello");
    const one = await join(version);
    const two = await join(6);
    one.client.publish("one").track("t").write("first");
    await tick(3);
    const read = async ({ client }: typeof one, path: string) => {
      const watch = new Viewer(client.subscribe(path, "t", { waitMs: 0 }));
      await tick(2);
      return watch.end ?? watch.text(0);
    };
    assert.equal(await read(one, "for all"), "hello");
    assert.equal(await read(two, "for all"), "hello");
    assert.equal(await read(one, "for you"), "you are memory:a");
    assert.equal(await read(one, "echo/one"), "FIRST");
    assert.equal(await read(two, "echo/one"), "unannounced");
    assert.equal(opened[0]!.version, lite(version).name);
    assert.equal(server.sessions, 2);
    await one.client.close();
    await one.over;
    assert.equal(server.sessions, 1);
    await server.close();
    assert.equal((await two.client.closed).reason, "shutting down");
    await tick();
    assertClean(one.near, one.far, two.near, two.far);
  });
}

Deno.test("a mux answers every session of a server, once for all who read the same", async () => {
  const mux = new TrackMux();
  let calls = 0;
  mux.handle("clock", (_, track) => track.write(`call ${++calls}`));
  const { server, join } = serving({ mux });
  const watching = [await join(), await join(4)].map(({ client }) =>
    new Viewer(client.subscribe("clock", "t"))
  );
  await tick(2);
  assert.deepEqual([watching.map((w) => w.text(0)), calls], [["call 1", "call 1"], 1]);
  await server.close();
});

Deno.test("a server with relay passes on what its peers announce", async () => {
  const { server, join } = serving({ relay: true });
  const [publisher, viewer] = [await join(), await join(5)];
  publisher.client.publish("a").track("t").write("x");
  await tick();
  const watch = new Viewer(viewer.client.subscribe("a", "t"));
  await tick();
  assert.equal(watch.text(0), "x");
  assert.throws(() => new Server({ relay: true, onsession: () => {} }), TypeError);
  await server.close();
});

Deno.test("the path of the peer's URL stands before its paths", async () => {
  const paths: string[] = [];
  const { server, join } = serving({ onsession: ({ path }) => void paths.push(path) });
  server.publish("room/a").track("t").write("x");
  const { client } = await join(6, {}, "/room?x=1");
  const watch = new Viewer(client.subscribe("a", "t"));
  await tick();
  assert.deepEqual([watch.text(0), paths], ["x", ["room"]]);
  await server.close();
});

Deno.test("close() with a grace says where to go, and lets what has begun go out", async () => {
  const { server, clock, join } = serving({});
  const group = server.publish("a").track("t").group();
  group.write("begun");
  const told: string[] = [];
  const { client } = await join(6, { ongoaway: (uri) => told.push(uri) });
  const watch = new Viewer(client.subscribe("a", "t"));
  await tick();
  const closing = server.close({ graceMs: 5000, uri: "https://next.example/" });
  await tick();
  assert.deepEqual(await server.decide({ path: "/", authority: "a", origin: undefined }), {
    status: 503,
  });
  const late = memoryPair({ protocol: "moq-lite-06" });
  await server.accept(late[1]);
  assert.equal((await late[0].closed).reason, "shutting down");
  group.write("ended");
  group.close();
  for (let i = 0; i < 30; i++) {
    clock.advance(20);
    await tick();
  }
  await closing;
  assert.deepEqual([told, watch.text(0), watch.whole], [
    ["https://next.example/"],
    "begun,ended",
    [0],
  ]);
  assert.equal(server.sessions, 0);
});

Deno.test("a session whose handler fails is closed, the others go on", async () => {
  let first = true;
  const { server, join } = serving({
    onsession: () => {
      if (!first) return;
      first = false;
      throw new Error("broken");
    },
  });
  const [one, two] = [await join(), await join()];
  assert.equal((await one.client.closed).code, 1);
  assert.equal(two.client.status.state, "connected");
  await server.close();
});

Deno.test("decide() of the program has the last word, and deep paths have none", async () => {
  const { server } = serving({ decide: ({ path }) => path.includes("jwt=ok") ? 200 : 401 });
  const ask = async (path: string) =>
    (await server.decide({ path, authority: "a", origin: undefined })).status;
  assert.deepEqual([await ask("/x?jwt=ok"), await ask("/x")], [200, 401]);
  assert.equal(await ask("/" + "a/".repeat(33) + "?jwt=ok"), 404);
  await server.close();
});
