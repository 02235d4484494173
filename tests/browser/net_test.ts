/**
 * `@moq/net`, a browser client of another project, through this relay: with itself and with our own client.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { connect, type Subscription } from "../../client/mod.ts";
import { fromFileUrl } from "../../tools/file_url.ts";
import { launchChromium, type RunningChromium } from "../support/pages/chromium.ts";
import type { NetPage, SeenGroup } from "../support/pages/net_page.ts";
import { isPayloadOf, payloadOf } from "../support/payload.ts";
import { type RelayProgram, startRelay } from "../support/program.ts";
import { need } from "../support/require.ts";

const ignore = !need("chromium").ok;

/** The page's own side, as promises. */
type Remote = {
  [K in keyof NetPage]: (
    ...args: Parameters<NetPage[K]>
  ) => Promise<Awaited<ReturnType<NetPage[K]>>>;
};

/** A module and all it needs as one script for browsers. */
async function bundle(path: string): Promise<string> {
  const entry = fromFileUrl(new URL(path, import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", entry],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

let netScript: Promise<string> | undefined;

/** A new tab with a session. */
async function netPage(
  chromium: RunningChromium,
  relay: RelayProgram,
): Promise<Remote & { readonly version: string }> {
  const page: Page = await chromium.page();
  await page.addScriptTag({
    content: await (netScript ??= bundle("../support/pages/net_page.ts")),
    type: "module",
  });
  await page.waitForFunction("globalThis.net !== undefined");
  const call = (name: string) => (...args: unknown[]) =>
    page.evaluate(([name, args]) =>
      // deno-lint-ignore no-explicit-any
      (globalThis as any).net[name as string](...args as unknown[]), [name, args] as const);
  const remote = new Proxy({} as Remote, {
    get: (_, name) => name === "then" ? undefined : call(String(name)),
  });
  const version = await remote.connect(relay.url);
  return new Proxy(remote as Remote & { readonly version: string }, {
    get: (target, name) => name === "version" ? version : Reflect.get(target, name),
  });
}

type Maybe<T> = T | false | undefined;

/** Repeats the call until it gives an answer. */
async function until<T>(
  what: string,
  ask: () => Maybe<T> | Promise<Maybe<T>>,
  timeoutMs = 20_000,
): Promise<T> {
  const endsAtMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > endsAtMs) throw new Error(`it did not come to be: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface TrackJson {
  readonly broadcast: string;
  readonly track: string;
  readonly subscribers: number;
  readonly upstreamSubscriptions: number;
}

async function tracks(relay: RelayProgram): Promise<TrackJson[]> {
  const answer = await (await fetch(`${relay.adminUrl}/api/v1/tracks`)).json();
  return Array.isArray(answer) ? answer : answer.tracks;
}

const subscribers = (relay: RelayProgram, count: number) =>
  until(
    `${count} subscribers`,
    async () => (await tracks(relay)).some((track) => track.subscribers === count),
  );

const announced = (page: Remote, name: string) =>
  until(`${name} announced`, async () => (await page.announced()).includes(name));

function wholeGroups(groups: readonly SeenGroup[], count: number, frames: number): void {
  const bad = groups.filter((group) =>
    group.error !== undefined || group.frames.length !== frames || group.frames.includes(false)
  );
  assert.deepEqual(bad, []);
  const sequences = groups.map(({ sequence }) => sequence).toSorted((a, b) => a - b);
  assert.deepEqual(sequences, Array.from({ length: count }, (_, i) => i));
}

async function readAll(subscription: Subscription): Promise<SeenGroup[]> {
  const groups: SeenGroup[] = [];
  const reading: Promise<void>[] = [];
  for await (const group of subscription) {
    const seen: SeenGroup = { sequence: group.sequence, frames: [] };
    groups.push(seen);
    reading.push((async () => {
      try {
        for await (const { payload } of group) {
          seen.frames.push(isPayloadOf(seen.sequence, seen.frames.length, payload));
        }
      } catch (error) {
        seen.error = String(error);
      }
    })());
  }
  await Promise.all(reading);
  return groups;
}

Deno.test({
  name:
    "@moq/net watches in two tabs what it publishes in a third: nothing lost, nothing altered, " +
    "one subscription at the publisher",
  ignore,
  async fn() {
    await using relay = await startRelay();
    await using chromium = await launchChromium();
    const publisher = await netPage(chromium, relay);
    const viewers = [await netPage(chromium, relay), await netPage(chromium, relay)];
    assert.match(publisher.version, /^(moq-)?lite-05/);
    await publisher.publish("room/tab");
    for (const viewer of viewers) {
      await announced(viewer, "room/tab");
      await viewer.watch("room/tab");
    }
    await subscribers(relay, 2);
    await publisher.write({ from: 0, count: 300, frames: 5, everyMs: 5 });
    const [track, ...others] = await tracks(relay);
    assert.deepEqual(others, []);
    assert.equal(track!.upstreamSubscriptions, 1);
    assert.equal(track!.subscribers, 2);
    await publisher.endTrack();
    for (const viewer of viewers) {
      const seen = await until("the end of the track", async () => {
        const now = await viewer.seen();
        return (now.ended || now.error !== undefined) && now;
      });
      assert.equal(seen.error, undefined);
      wholeGroups(seen.groups, 300, 5);
    }
  },
});

Deno.test({
  name: "a tab that comes late gets the current group from its first frame",
  ignore,
  async fn() {
    await using relay = await startRelay();
    await using chromium = await launchChromium();
    const publisher = await netPage(chromium, relay);
    const early = await netPage(chromium, relay);
    await publisher.publish("room");
    await announced(early, "room");
    await early.watch("room");
    await subscribers(relay, 1);
    await publisher.write({ from: 0, count: 3, frames: 2, everyMs: 5 });
    await publisher.openGroup(4);
    await until(
      "four frames",
      async () =>
        (await early.seen()).groups.some(({ sequence, frames }) =>
          sequence === 3 && frames.length === 4
        ),
    );

    const late = await netPage(chromium, relay);
    await announced(late, "room");
    await late.watch("room");
    await until("the kept frames", async () => (await late.seen()).groups[0]?.frames.length === 4);
    await publisher.addFrame(true);
    await publisher.write({ from: 4, count: 1, frames: 2, everyMs: 0 });
    await publisher.endTrack();
    const { groups } = await until("the end of the track", async () => {
      const seen = await late.seen();
      return seen.ended && seen;
    });
    assert.deepEqual(groups, [
      { sequence: 3, frames: [true, true, true, true, true] },
      { sequence: 4, frames: [true, true] },
    ]);
  },
});

for (const scheme of ["moqt", "https"] as const) {
  Deno.test({
    name: `@moq/net watches what our client publishes over ${scheme}, group for group`,
    ignore,
    async fn() {
      await using relay = await startRelay();
      await using chromium = await launchChromium();
      await using client = await connect(`${scheme}://127.0.0.1:${relay.port}/`, {
        hash: relay.hash,
      });
      using broadcast = client.publish("ours");
      const track = broadcast.track("data", { maxAgeMs: 30_000 });
      const viewer = await netPage(chromium, relay);
      await announced(viewer, "ours");
      await viewer.watch("ours");
      await until("a subscriber", () => track.subscribers === 1);
      for (let sequence = 0; sequence < 300; sequence++) {
        using group = track.group();
        for (let frame = 0; frame < 5; frame++) group.write(payloadOf(sequence, frame));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      track.close();
      await until("the end of the track", async () => (await viewer.seen()).ended);
      wholeGroups((await viewer.seen()).groups, 300, 5);
    },
  });

  Deno.test({
    name: `our client over ${scheme} watches what @moq/net publishes, group for group`,
    ignore,
    async fn() {
      await using relay = await startRelay();
      await using chromium = await launchChromium();
      const publisher = await netPage(chromium, relay);
      await publisher.publish("theirs");
      await using client = await connect(`${scheme}://127.0.0.1:${relay.port}/`, {
        hash: relay.hash,
      });
      using news = client.announced();
      assert.deepEqual((await news.next())?.path, "theirs");
      const reading = readAll(client.subscribe("theirs", "data", { maxLatencyMs: 30_000 }));
      await subscribers(relay, 1);
      await publisher.write({ from: 0, count: 300, frames: 5, everyMs: 5 });
      await publisher.endTrack();
      wholeGroups(await reading, 300, 5);
    },
  });
}

Deno.test({
  name: "@moq/net sees that a group was cut short, keeps its session and gets the groups after it",
  ignore,
  async fn() {
    await using relay = await startRelay();
    await using chromium = await launchChromium();
    await using client = await connect(`moqt://127.0.0.1:${relay.port}/`, { hash: relay.hash });
    using broadcast = client.publish("ours");
    const track = broadcast.track("data", { maxAgeMs: 30_000 });
    const viewer = await netPage(chromium, relay);
    await announced(viewer, "ours");
    await viewer.watch("ours");
    await until("a subscriber", () => track.subscribers === 1);
    const cut = track.group();
    cut.write(payloadOf(0, 0));
    cut.write(payloadOf(0, 1));
    await until("two frames", async () => (await viewer.seen()).groups[0]?.frames.length === 2);
    cut.abort();
    for (let sequence = 1; sequence <= 3; sequence++) {
      using group = track.group();
      for (let frame = 0; frame < 2; frame++) group.write(payloadOf(sequence, frame));
    }
    const { groups } = await until("the groups after it", async () => {
      const seen = await viewer.seen();
      return seen.groups.length >= 4 && seen.groups[0]?.error !== undefined && seen;
    });
    assert.ok(groups[0]!.error, "the cut group looks whole");
    assert.deepEqual(groups[0]!.frames, [true, true]);
    const later = groups.slice(1).toSorted((a, b) => a.sequence - b.sequence);
    assert.deepEqual(later.map(({ sequence }) => sequence), [1, 2, 3]);
    assert.ok(later.every(({ frames, error }) => frames.length === 2 && error === undefined));
    assert.equal(await viewer.connected(), true);
  },
});

Deno.test({
  name: "the client library loads in a browser as a module",
  ignore,
  async fn() {
    await using chromium = await launchChromium();
    const page = await chromium.page();
    const module = await bundle("../../client/mod.ts");
    const names = await page.evaluate(async (text) => {
      const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
      return Object.keys(await import(url));
    }, module);
    assert.ok(names.includes("Client") && names.includes("connect"), names.join(", "));
  },
});
