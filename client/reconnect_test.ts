import assert from "node:assert/strict";
import { NoCommonVersion } from "../session/errors.ts";
import { lite, type TestRelay, testRelay, tick, VERSIONS, Viewer } from "../session/peers_test.ts";
import { ConnectFailed } from "../transport/errors.ts";
import { type MemoryConnection, memoryPair } from "../transport/memory/memory.ts";
import type { LiteVersion } from "../wire/lite/dialect.ts";
import type { Announcements } from "./announcements.ts";
import { Client, type DialOptions } from "./client.ts";
import { type ClientStatus, goawayTarget, isFinal, shown, withToken } from "./reconnect.ts";
import { alpnOf } from "../wire/versions.ts";

/** A relay that clients dial over memory pairs, and that can be away or replaced. */
class Host {
  /** Absent while nobody answers. */
  at: TestRelay | undefined;
  readonly dialed: string[] = [];
  /** The client's end of every connection. */
  readonly ends: MemoryConnection[] = [];
  status: number | undefined;

  constructor(at: TestRelay) {
    this.at = at;
  }

  get last(): MemoryConnection {
    return this.ends.at(-1)!;
  }

  dial(version: LiteVersion, options: DialOptions = {}): Promise<Client> {
    const dialer = (url: URL) => {
      this.dialed.push(url.href);
      if (this.at === undefined || this.status !== undefined) {
        return Promise.reject(new ConnectFailed(url.href, "nobody is there", this.status));
      }
      const [near, far] = memoryPair({ protocol: alpnOf(lite(version).name) });
      void this.at.relay.accept(far);
      this.ends.push(near);
      return Promise.resolve(near);
    };
    return Client.dial("moqt://relay.example/", dialer, {
      versions: [lite(version).name],
      clock: this.at!.clock,
      reconnect: { random: () => 1 },
      ...options,
    });
  }
}

/** Advances time in steps, so that its effects can run. */
async function pass(at: TestRelay, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 50) {
    at.clock.advance(Math.min(50, left));
    await tick();
  }
}

function stateOf({ status }: Client): string {
  return status.state === "connected" ? `connected ${status.session}` : status.state;
}

function heard(news: Announcements): string[] {
  const out: string[] = [];
  void (async () => {
    for await (const { path, active } of news) out.push(`${active ? "+" : "-"}${path}`);
  })();
  return out;
}

for (const version of VERSIONS) {
  Deno.test(`0${version}: a publisher's session lost in mid-group leaves its viewer's subscription whole`, async () => {
    const at = testRelay();
    const [here, there] = [new Host(at), new Host(at)];
    const publisher = await here.dial(version);
    const viewer = await there.dial(6);
    const track = publisher.publish("a").track("v");
    await tick();
    const watch = new Viewer(viewer.subscribe("a", "v"));
    await tick();
    track.write("0");
    await tick();
    here.last.drop();
    await tick();
    track.write("1"); // while there is no session
    await pass(at, 1000);
    assert.equal(publisher.status.state, "connected");
    track.write("2");
    await tick();
    const got = [...watch.groups.keys()].sort();
    // Before 04 no message names the publisher, so the relay takes it for another broadcast.
    if (version >= 4) assert.deepEqual([got, watch.end], [[0, 1, 2], undefined]);
    else assert.deepEqual(got, [0]);
    await at.relay.close();
    await Promise.all([publisher.close(), viewer.close()]);
  });

  Deno.test(`0${version}: a viewer's subscription goes on behind its last group after its session was lost`, async () => {
    const at = testRelay();
    const [here, there] = [new Host(at), new Host(at)];
    const publisher = await here.dial(6);
    const viewer = await there.dial(version);
    const track = publisher.publish("a").track("v");
    publisher.publish("b");
    await tick();
    const news = heard(viewer.announced());
    const watch = new Viewer(viewer.subscribe("a", "v"));
    await tick();
    track.write("0");
    await tick();
    there.last.drop();
    await tick();
    assert.equal(stateOf(viewer), "reconnecting");
    track.write("1");
    await pass(at, 1000);
    track.write("2");
    await pass(at, 1000);
    assert.deepEqual([...watch.groups.keys()].sort(), [0, 1, 2]);
    assert.deepEqual([watch.end, watch.cut], [undefined, []]);
    await pass(at, 20_000);
    assert.deepEqual(news, ["+a", "+b"], "nobody hears of the absence");
    assert.equal(stateOf(viewer), "connected 2");
    await viewer.close();
    assert.deepEqual(news, ["+a", "+b", "-a", "-b"]);
    await at.relay.close();
    await publisher.close();
  });

  Deno.test(`0${version}: a relay that drains and comes back as another loses no group`, async () => {
    const at = testRelay();
    const [here, there] = [new Host(at), new Host(at)];
    const publisher = await here.dial(version);
    const viewer = await there.dial(version);
    const track = publisher.publish("a").track("v");
    await tick();
    const news = heard(viewer.announced());
    const watch = new Viewer(viewer.subscribe("a", "v"));
    await tick();
    track.write("0");
    await tick();
    here.at = there.at = undefined;
    void at.relay.drain(1000);
    await pass(at, 1500);
    track.write("1");
    const next = testRelay({ hop: 888n, clock: at.clock });
    here.at = there.at = next;
    await pass(at, 12_000);
    track.write("2");
    await pass(at, 50);
    const got = [...watch.groups.keys()].sort();
    assert.deepEqual([got, watch.end, watch.cut], [[0, 1, 2], undefined, []]);
    assert.deepEqual(news, ["+a"]);
    await next.relay.close();
    await Promise.all([publisher.close(), viewer.close()]);
  });
}

Deno.test("a group that broke off in the middle is read to its end over the next session", async () => {
  const at = testRelay();
  const [here, there] = [new Host(at), new Host(at)];
  const publisher = await here.dial(6);
  const viewer = await there.dial(6);
  const track = publisher.publish("a").track("v");
  await tick();
  const watch = new Viewer(viewer.subscribe("a", "v"));
  await tick();
  const group = track.group();
  group.write("one");
  await tick();
  there.last.drop();
  await tick();
  group.write("two");
  await pass(at, 1000);
  group.write("three");
  group.close();
  await tick();
  assert.deepEqual([watch.text(0), watch.whole], ["one,two,three", [0]]);
  await at.relay.close();
  await Promise.all([publisher.close(), viewer.close()]);
});

Deno.test("announced() tells once what is gone after a reconnect, when the time to come back is up", async () => {
  const at = testRelay();
  const [here, there, elsewhere] = [new Host(at), new Host(at), new Host(at)];
  const stays = await here.dial(6);
  const goes = await elsewhere.dial(6);
  const viewer = await there.dial(6, { reconnect: { graceMs: 3000, random: () => 1 } });
  stays.publish("stays");
  goes.publish("goes");
  const news = heard(viewer.announced());
  await tick();
  const watch = new Viewer(viewer.subscribe("goes", "v"));
  await tick();
  there.last.drop();
  await goes.close();
  await tick();
  stays.publish("new");
  await pass(at, 1000);
  assert.deepEqual(news.sort(), ["+goes", "+new", "+stays"]);
  await pass(at, 3000);
  assert.deepEqual(news.sort(), ["+goes", "+new", "+stays", "-goes"]);
  assert.notEqual(watch.end, undefined);
  await at.relay.close();
  await Promise.all([stays.close(), viewer.close()]);
});

Deno.test("a broadcast that is taken back after a reconnect is gone at once", async () => {
  const at = testRelay();
  const [here, there] = [new Host(at), new Host(at)];
  const publisher = await here.dial(6);
  const viewer = await there.dial(6);
  const broadcast = publisher.publish("a");
  const news = heard(viewer.announced());
  await tick();
  there.last.drop();
  await pass(at, 1000);
  broadcast.close();
  await tick();
  assert.deepEqual(news, ["+a", "-a"]);
  await at.relay.close();
  await Promise.all([publisher.close(), viewer.close()]);
});

Deno.test("attempts come at longer and longer intervals, say why they are made, and end with close()", async () => {
  const at = testRelay();
  const host = new Host(at);
  const told: ClientStatus[] = [];
  const reconnect = { minMs: 100, maxMs: 400, random: () => 1 };
  const client = await host.dial(6, { reconnect, onstatus: (status) => told.push(status) });
  host.at = undefined;
  host.last.drop();
  await pass(at, 1500);
  const waits = told.flatMap((s) => s.state === "reconnecting" ? [s.waitMs] : []);
  assert.deepEqual(waits.slice(0, 4), [100, 200, 400, 400]);
  const reasons = told.flatMap((s) => s.state === "reconnecting" ? [s.reason] : []);
  assert.equal(reasons[0], "connection lost");
  assert.match(reasons[1]!, /nobody is there/);
  const fetched = client.fetch("a", "v", 0, { signal: AbortSignal.timeout(10) });
  await assert.rejects(fetched, { name: "TimeoutError" });
  await client.close(7, "enough");
  assert.deepEqual(await client.closed, { code: 7, reason: "enough", abrupt: false });
  assert.deepEqual(client.status, { state: "closed", code: 7, reason: "enough" });
  const attempts = host.dialed.length;
  await pass(at, 2000);
  assert.equal(host.dialed.length, attempts);
  await at.relay.close();
});

Deno.test("a client that does not reconnect is over with its session, and its watches end", async () => {
  const at = testRelay();
  const host = new Host(at);
  const client = await host.dial(6, { reconnect: false });
  const news = client.announced();
  const waiting = news.next();
  host.last.drop();
  assert.deepEqual(await client.closed, { code: 0, reason: "connection lost", abrupt: true });
  assert.equal(await waiting, undefined);
  const states: string[] = [];
  for await (const { state } of client.statuses()) states.push(state);
  assert.deepEqual(states, ["closed"]);
  await at.relay.close();
});

Deno.test("it gives up when its token is refused, or after giveUpMs", async () => {
  for (const status of [401, 403, undefined]) {
    const at = testRelay();
    const host = new Host(at);
    const client = await host.dial(6, { reconnect: { giveUpMs: 1000, random: () => 1 } });
    host.at = undefined;
    host.status = status;
    host.last.drop();
    await pass(at, status === undefined ? 3000 : 300);
    assert.equal(client.status.state, "closed");
    assert.match((await client.closed).reason, /nobody is there/);
    await at.relay.close();
  }
});

Deno.test("with evenRefused it goes on though its token is refused, and comes back when it is taken again", async () => {
  const at = testRelay();
  const host = new Host(at);
  const client = await host.dial(6, { reconnect: { minMs: 100, evenRefused: true } });
  host.at = undefined;
  host.status = 401;
  host.last.drop();
  await pass(at, 1000);
  assert.equal(client.status.state, "reconnecting");
  host.at = at;
  host.status = undefined;
  await pass(at, 10_000);
  assert.equal(client.status.state, "connected");
  await client.close();
  await at.relay.close();
});

Deno.test("a first attempt that fails is told at once", async () => {
  const host = new Host(testRelay());
  host.status = 503;
  await assert.rejects(host.dial(6), ConnectFailed);
  assert.equal(host.dialed.length, 1);
});

Deno.test("the token goes along in every attempt, made anew by its function", async () => {
  const at = testRelay();
  const host = new Host(at);
  let made = 0;
  const client = await host.dial(6, { token: () => `t${++made}` });
  host.last.drop();
  await pass(at, 1000);
  assert.deepEqual(host.dialed, [
    "moqt://relay.example/?jwt=t1",
    "moqt://relay.example/?jwt=t2",
  ]);
  assert.ok(!JSON.stringify(client.status).includes("t2"));
  await at.relay.close();
  await client.close();
});

Deno.test("a GOAWAY moves to the new place before the old session ends: every group comes once", async () => {
  for (const version of [4, 5, 6] as const) {
    const at = testRelay();
    const next = testRelay({ hop: 888n, clock: at.clock });
    const [here, there] = [new Host(at), new Host(at)];
    const publisher = await here.dial(version);
    const told: string[] = [];
    const viewer = await there.dial(version, { onstatus: (s) => told.push(s.state) });
    const track = publisher.publish("a").track("v");
    await tick();
    const news = heard(viewer.announced());
    const watch = new Viewer(viewer.subscribe("a", "v"));
    await tick();
    track.write("0");
    await tick();
    here.at = there.at = next;
    const drained = at.relay.drain(5000, "moqt://relay.example:444/x");
    for (let i = 1; i < 40; i++) {
      track.write(String(i));
      await pass(at, 100);
    }
    assert.deepEqual([...watch.groups.keys()].sort((a, b) => a - b), [...Array(40).keys()]);
    assert.deepEqual([watch.cut, watch.end], [[], undefined], `0${version}`);
    assert.equal(there.dialed.at(-1), "moqt://relay.example:444/x");
    assert.deepEqual(told, ["connected", "moving", "connected"]);
    assert.deepEqual(news, ["+a"]);
    await drained;
    await next.relay.close();
    await Promise.all([publisher.close(), viewer.close()]);
  }
});

Deno.test("a client that every relay sends on at once waits longer each time", async () => {
  const at = testRelay();
  const host = new Host(at);
  const client = await host.dial(6);
  for (let i = 0; i < 200; i++) {
    for (const { session } of at.relay.sessions()) void session.goaway("moqt://relay.example/next");
    await pass(at, 50);
  }
  assert.ok(host.dialed.length <= 8, `${host.dialed.length} attempts in ten seconds`);
  await client.close();
  await at.relay.close();
});

Deno.test("a GOAWAY is not followed by a client that does not reconnect, unless it says so", async () => {
  for (const goaway of [undefined, "same-host"] as const) {
    const at = testRelay();
    const host = new Host(at);
    const asked: string[] = [];
    const client = await host.dial(6, {
      reconnect: false,
      ongoaway: (uri) => asked.push(uri),
      ...(goaway === undefined ? {} : { goaway }),
    });
    const next = testRelay({ hop: 888n, clock: at.clock });
    host.at = next;
    await tick();
    void at.relay.drain(1000, "");
    await pass(at, 1500);
    assert.deepEqual(asked, [""]);
    assert.equal(client.status.state, goaway === undefined ? "closed" : "connected");
    await next.relay.close();
    await client.close();
  }
});

Deno.test("goawayTarget() leads to the same host only, unless told to follow", () => {
  const url = new URL("https://relay.example/live?jwt=x");
  const to = (uri: string, policy: "same-host" | "follow") => goawayTarget(uri, url, policy).href;
  assert.equal(to("", "follow"), url.href);
  assert.equal(to("no url", "follow"), url.href);
  assert.equal(to("https://relay.example:444/", "same-host"), "https://relay.example:444/");
  assert.equal(to("https://other.example/", "same-host"), url.href);
  assert.equal(to("http://relay.example/", "same-host"), url.href);
  assert.equal(to("https://other.example/", "follow"), "https://other.example/");
});

Deno.test("withToken() replaces a token and keeps the rest of the query; shown() hides it all", () => {
  const url = new URL("moqt://relay.example:4433/live?a=1&jwt=old");
  assert.equal(withToken(url, "n+w").href, "moqt://relay.example:4433/live?a=1&jwt=n%2Bw");
  assert.equal(url.searchParams.get("jwt"), "old");
  assert.equal(shown(url), "moqt://relay.example:4433/live");
  assert.equal(shown(new URL("https://relay.example/live?jwt=x")), "https://relay.example/live");
});

Deno.test("isFinal() is true where the relay refuses the token, or speaks no common version", () => {
  const failed = (status?: number) => isFinal(new ConnectFailed("u", "w", status));
  assert.deepEqual([failed(401), failed(403), failed(503), failed()], [true, true, false, false]);
  assert.ok(isFinal(new NoCommonVersion("others", "ours")));
});

Deno.test("an end that comes before the GOAWAY is no end; a real one is told a moment later", async () => {
  const at = testRelay();
  const next = testRelay({ hop: 888n, clock: at.clock });
  const [here, there] = [new Host(at), new Host(at)];
  const publisher = await here.dial(6);
  const viewer = await there.dial(6);
  const track = publisher.publish("a").track("v");
  await tick();
  const watch = new Viewer(viewer.subscribe("a", "v"));
  await tick();
  track.write("0");
  await tick();
  here.at = there.at = next;
  for (const { session } of at.relay.sessions()) session.drain();
  await pass(at, 200);
  void at.relay.drain(1000);
  await pass(at, 3000);
  assert.equal(watch.end, undefined);
  track.write("1");
  await pass(at, 200);
  assert.deepEqual(watch.whole, [0, 1]);
  track.close();
  await pass(at, 1000);
  assert.deepEqual([watch.end, watch.subscription.endGroup], ["ended", 2]);
  await next.relay.close();
  await Promise.all([publisher.close(), viewer.close()]);
});
