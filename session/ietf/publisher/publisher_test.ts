import assert from "node:assert/strict";
import { silent } from "../../../base/logger.ts";
import { FramePool } from "../../../relay/group/frame_pool.ts";
import { GroupWriter } from "../../../relay/group/group_writer.ts";
import { Origin } from "../../../relay/origin.ts";
import type { BroadcastSource } from "../../../relay/ports.ts";
import { newRelayStats } from "../../../relay/stats.ts";
import { Track } from "../../../relay/track.ts";
import { objects, ObjectWriter } from "../../../tests/support/fixtures/objects.ts";
import { IetfPeer, ns } from "../../../tests/support/ietf_peer.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import type { SendStream } from "../../../transport/connection.ts";
import { memoryPair, type MemoryPairOptions } from "../../../transport/memory/memory.ts";
import type { MemorySend } from "../../../transport/memory/memory_stream.ts";
import type { RequestWord } from "../../../wire/ietf/codes.ts";
import type { ControlMessage, Kind, Messages, Request } from "../../../wire/ietf/dialect.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import { type Draft, profileOf } from "../../../wire/ietf/profile.ts";
import { newSessionHits, NO_LIMITS } from "../../limits.ts";
import { tick } from "../../peers_test.ts";
import { LimitedQuota } from "../../quota.ts";
import { Unfinished } from "../../unfinished.ts";
import { IetfContext, layoutOf } from "../context.ts";
import type { Exchange, Exchanges } from "../exchange.ts";
import { Publisher } from "./publisher.ts";

const LIMITS = { groupCacheSize: 8, maxAgeMs: 30_000, maxGroupBytes: 1 << 20 };
const utf8 = new TextEncoder();

/** A request without a channel: what the publisher says is written down. */
class Said implements Exchange {
  readonly said: [kind: string, value: unknown][] = [];
  over = false;
  readonly #heard: (ControlMessage | undefined)[] = [];
  #wake = () => {};

  constructor(
    readonly id: number,
    readonly request: Exchange["request"],
    readonly out: SendStream,
  ) {}

  /** The peer says something; `undefined` is the end. */
  hear(message: ControlMessage | undefined): void {
    this.#heard.push(message);
    this.#wake();
  }
  async next(): Promise<ControlMessage | undefined> {
    while (this.#heard.length === 0) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#heard.shift();
  }
  send<K extends Kind>(kind: K, value: Omit<Messages[K], "requestId">): void {
    if (!this.over) this.said.push([kind, value]);
  }
  acceptUpdate(): void {
    this.said.push(["ok", undefined]);
  }
  refuseUpdate(_update: unknown, word: RequestWord): void {
    this.said.push(["no", word]);
  }
  refuse(word: RequestWord): void {
    this.said.push(["refused", word]);
    this.over = true;
  }
  update(): void {}
  finish(): void {
    this.over = true;
  }
  cancel(): void {
    this.over = true;
    this.said.push(["cancelled", undefined]);
  }
  /** What was said last. */
  take(): [kind: string, value: Record<string, unknown>] {
    return this.said.shift() as never ?? ["nothing", {}];
  }
}

async function serving(draft: Draft, pair: MemoryPairOptions = {}) {
  const profile = profileOf(draft);
  const [near, far] = memoryPair(pair);
  const clock = new ManualClock();
  const stats = newRelayStats();
  const pool = new FramePool();
  const track = new Track("room", "video", { pool, clock, stats, limits: LIMITS });
  const origin = new Origin({ context: track.context, hop: 1n, lingerMs: 0 });
  const source = {
    label: "here",
    ownTrack: (_: string, name: string) => name === "video" ? track : undefined,
    subscribe: (
      _path: string,
      _name: string,
      _request: unknown,
      sink: { ended(end: unknown): void },
    ) => {
      queueMicrotask(() =>
        sink.ended({ kind: "failed", why: "not-found", reason: "no such track" })
      );
      return { update() {}, close() {} };
    },
    trackInfo: () => Promise.reject(new Error("no")),
  } as unknown as BroadcastSource;
  const announced = origin.announce("room", source, { hops: [], warm: 0, cold: 0 });
  const quota = new LimitedQuota(NO_LIMITS, newSessionHits(), clock);
  const context = new IetfContext(
    profile,
    {
      connection: near,
      hop: 1n,
      clock,
      stats,
      log: silent,
      quota,
      versions: [],
      setupTimeoutMs: 1,
    },
    { root: "", serve: origin, consume: undefined },
    new Unfinished(clock, quota.hits, 1),
  );
  const out = await near.openUni();
  const opened: Said[] = [];
  const exchanges: Exchanges = {
    open(kind, value) {
      const request = { kind, value: { ...value, requestId: 1001 } } as never;
      const one = new Said(1001 + 2 * opened.length, request, out);
      opened.push(one);
      return Promise.resolve(one);
    },
  };
  const self = { label: "self" } as BroadcastSource;
  const publisher = new Publisher(context, exchanges, self);
  let id = 0;
  const ask = <K extends Request>(kind: K, value: Partial<Messages[K]>) => {
    const request = { kind, value: { requestId: id, parameters: {}, ...value } } as never;
    const one = new Said(id, request, out);
    id += 2;
    const done = publisher.serve(one);
    return Object.assign(one, { done });
  };
  const subscribe = (parameters: Parameters = {}, name = "video") =>
    ask("subscribe", { namespace: ns("room"), track: utf8.encode(name), parameters });
  const layout = layoutOf(profile);
  const open = (group: number, more = {}, first = 0) => {
    const head = objects(0, { layout, properties: true, publisherPriority: 127, ...more });
    const subgroup = track.ring.add(group, clock.now(), first, head)!;
    track.deliver(subgroup);
    const writer = new GroupWriter(subgroup, LIMITS);
    const objectWriter = new ObjectWriter(writer);
    const put = (text: string, at?: number) => {
      objectWriter.object({ id: at ?? first++, payload: utf8.encode(text) });
      return one;
    };
    const one = { put, writer, end: () => writer.finish() };
    return one;
  };
  const peer = await IetfPeer.client(far, draft, { silent: true });
  return {
    track,
    origin,
    announced,
    publisher,
    subscribe,
    ask,
    open,
    peer,
    opened,
    clock,
    stats,
    near,
  };
}

const DRAFTS: readonly Draft[] = [14, 16, 18, 22];
const WAYS: readonly [string, MemoryPairOptions][] = [["resets", {}], ["no resets", {
  canReset: false,
}]];

for (const draft of DRAFTS) {
  for (const [way, pair] of WAYS) {
    Deno.test(`draft ${draft}, ${way}: SUBSCRIBE is accepted with the largest location, served, and done with its streams`, async () => {
      const at = await serving(draft, pair);
      at.open(4).put("old").end();
      const group = at.open(5).put("a").put("b");
      const asked = at.subscribe({ filter: { kind: "range", start: { group: 5, object: 0 } } });
      await tick();
      const [kind, ok] = asked.take();
      assert.equal(kind, "subscribeOk");
      assert.deepEqual((ok.parameters as Parameters).largest, { group: 5, object: 1 });
      const stream = await at.peer.nextSubgroup();
      await stream.until(2);
      group.put("c");
      await stream.until(3);
      group.end();
      const next = at.open(6).put("d");
      await stream.done();
      assert.equal(`${stream}`, `${ok.alias}/5/0 p128 [0=a 1=b 2=c] fin`);
      const second = await at.peer.nextSubgroup();
      await second.until(1);
      next.end();
      at.track.end({ kind: "ended" });
      await asked.done;
      const [last, done] = asked.take();
      assert.deepEqual([last, done.code, done.streams], ["publishDone", 2, 2]);
    });

    Deno.test(`draft ${draft}, ${way}: the filter of the next object begins inside a group, with the object's own id`, async () => {
      const at = await serving(draft, pair);
      const group = at.open(5).put("a").put("b");
      const asked = at.subscribe({ filter: { kind: "next-object" } });
      await tick();
      const alias = asked.take()[1].alias;
      assert.equal(at.peer.streams.length, 0);
      group.put("c", 4);
      const stream = await at.peer.nextSubgroup();
      await stream.until(1);
      group.put("d", 5).end();
      await stream.done();
      assert.equal(`${stream}`, `${alias}/5/0 p128 [4=c 5=d] fin`);
      if (draft >= 18) assert.equal(stream.header.firstObject, false);
    });
  }

  Deno.test(`draft ${draft}: without resets nothing ends inside an object, and no end of group is said too early`, async () => {
    const at = await serving(draft, { canReset: false });
    at.subscribe({ filter: { kind: "range", start: { group: 5, object: 0 } } });
    await tick();
    const group = at.open(5, { endOfGroup: true }).put("a");
    const stream = await at.peer.nextSubgroup();
    await stream.until(1);
    assert.equal(stream.header.endOfGroup, false);
    // Half of an object, then the source is lost.
    const { writer } = group;
    new ObjectWriter(writer).object({ id: 0, payload: utf8.encode("half") }, 2);
    await tick();
    assert.equal(stream.rest, 0);
    writer.cut();
    await stream.done();
    assert.deepEqual([stream.end, stream.rest, stream.words], ["fin", 0, ["0=a"]]);
    const whole = at.open(6, { endOfGroup: true }).put("b");
    whole.end();
    assert.equal((await at.peer.nextSubgroup()).header.endOfGroup, true);
  });

  Deno.test(`draft ${draft}: what nobody has is refused at once, a second subscription where the draft has only one`, async () => {
    const at = await serving(draft);
    const nowhere = at.ask("subscribe", { namespace: ns("nowhere"), track: utf8.encode("video") });
    await nowhere.done;
    assert.deepEqual(nowhere.take(), ["refused", "doesNotExist"]);
    const missing = at.subscribe({}, "audio");
    await missing.done;
    assert.deepEqual(missing.take(), ["refused", "doesNotExist"]);
    at.open(1).put("a");
    const first = at.subscribe();
    await tick();
    assert.equal(first.take()[0], "subscribeOk");
    const second = at.subscribe();
    await tick();
    at.clock.advance(200); // the first might be on its way out
    await tick();
    const [kind, value] = second.take();
    if (profileOf(draft).manySubscriptions) {
      assert.equal(kind, "subscribeOk");
      assert.notEqual(value.alias, undefined);
    } else assert.deepEqual([kind, value], ["refused", "duplicateSubscription"]);
  });

  Deno.test(`draft ${draft}: all subgroups of a group go out, also to who comes late`, async () => {
    const at = await serving(draft);
    const head = (id: number) =>
      objects(id, { layout: layoutOf(profileOf(draft)), properties: true });
    const add = (id: number) => {
      const subgroup = at.track.ring.add(5, at.clock.now(), 0, head(id))!;
      at.track.deliver(subgroup);
      const writer = new GroupWriter(subgroup, LIMITS);
      new ObjectWriter(writer).object({ id: 0, payload: utf8.encode(`${id}`) });
      writer.finish();
    };
    for (let id = 0; id < 300; id++) add(id);
    const asked = at.subscribe({ filter: { kind: "range", start: { group: 5, object: 0 } } });
    await tick(3);
    for (let id = 300; id < 600; id++) add(id);
    await tick(3);
    const ids = at.peer.streams.map(({ words }) => Number(words[0]!.slice(2))).sort((a, b) =>
      a - b
    );
    assert.deepEqual(ids, Array.from({ length: 600 }, (_, id) => id));
    at.track.end({ kind: "ended" });
    await asked.done;
    assert.equal(asked.take()[0], "subscribeOk");
    assert.equal(asked.take()[1].streams, 600);
  });

  Deno.test(`draft ${draft}: a range that is over is refused, one that ends later is done when it has ended`, async () => {
    const at = await serving(draft);
    at.open(4).put("a").end();
    at.open(5).put("a").end();
    const range = (end: number) => ({
      filter: { kind: "range", start: { group: 0, object: 0 }, end: { group: end } },
    } as const);
    const past = at.subscribe(range(4));
    await past.done;
    assert.deepEqual(past.take(), ["refused", "invalidRange"]);
    const asked = at.subscribe(range(6));
    await tick();
    assert.equal(asked.take()[0], "subscribeOk");
    at.open(6).put("x").end();
    at.open(7).put("y").end();
    await tick();
    for (const sending of at.publisher.sent.groups) sending.cutStale(at.clock.now());
    await asked.done;
    const groups = at.peer.streams.map((stream) => `${stream}`.split("/")[1]);
    assert.deepEqual(groups, ["4", "5", "6"]);
    const [kind, done] = asked.take();
    const code = draft >= 20 ? 2 : 3;
    assert.deepEqual([kind, done.code, done.streams], ["publishDone", code, 3]);
  });

  Deno.test(`draft ${draft}: the oldest group goes first, unless the peer asks for the newest`, async () => {
    for (const groupOrder of [undefined, "ascending", "descending"] as const) {
      const at = await serving(draft);
      const streams: SendStream[] = [];
      const openUni = at.near.openUni.bind(at.near);
      at.near.openUni = async (...options) => {
        const stream = await openUni(...options);
        streams.push(stream);
        return stream;
      };
      at.open(4).put("a");
      at.subscribe(groupOrder === undefined ? {} : { groupOrder });
      await tick();
      at.open(5).put("b");
      await tick();
      const [old, young] = streams.map((stream) => (stream as unknown as MemorySend).sendOrder);
      assert.ok(groupOrder === "descending" ? young! > old! : old! > young!, `${groupOrder}`);
    }
  });

  Deno.test(`draft ${draft}: nothing goes out with forward 0, and the rest of the group does with 1`, async () => {
    const at = await serving(draft);
    const group = at.open(5).put("a");
    const asked = at.subscribe({ forward: false });
    await tick();
    assert.equal(asked.take()[0], "subscribeOk");
    group.put("b");
    await tick();
    assert.equal(at.peer.streams.length, 0);
    const update = (parameters: Parameters) =>
      asked.hear({ kind: "update", value: { requestId: 8, existing: 0, parameters } });
    update({ forward: true });
    await tick();
    assert.equal(asked.take()[0], "ok");
    group.put("c");
    const stream = await at.peer.nextSubgroup();
    await stream.until(1);
    assert.deepEqual(stream.words, ["2=c"]);
    update({ forward: false });
    await stream.done();
    at.track.end({ kind: "ended" });
    await asked.done;
    asked.take();
    assert.equal(asked.take()[1].streams, 1);
  });

  Deno.test(`draft ${draft}: a datagram stays one, with its own priority and no more`, async () => {
    const at = await serving(draft);
    const asked = at.subscribe();
    await tick();
    const alias = asked.take()[1].alias;
    at.track.deliverDatagram(3, 0, utf8.encode("hi"));
    const { payload: _, ...head } = await at.peer.nextDatagram();
    assert.deepEqual(head, {
      ...{ alias, group: 3, object: 0, priority: 128, status: 0, endOfGroup: false },
      properties: new Uint8Array(0),
    });
    at.track.deliverDatagram(4, 0, new Uint8Array(5000));
    assert.equal(at.stats.datagramsDropped, 1);
    at.track.end({ kind: "ended" });
    await asked.done;
    assert.equal(asked.take()[1].streams, 0);
  });

  Deno.test(`draft ${draft}: namespaces below a prefix are told, and told when they go`, async () => {
    const at = await serving(draft);
    const asked = at.ask("subscribeNamespace", { prefix: [], wanted: "namespaces" });
    await tick();
    assert.equal(asked.take()[0], "requestOk");
    const byRequest = draft < 16;
    if (byRequest) assert.equal(at.opened[0]!.request.kind, "publishNamespace");
    else assert.deepEqual(asked.take(), ["namespace", { suffix: ns("room") }]);
    const overlapping = at.ask("subscribeNamespace", { prefix: ns("room"), wanted: "namespaces" });
    await tick();
    at.clock.advance(200); // the first might be on its way out
    await overlapping.done;
    assert.deepEqual(overlapping.take(), ["refused", "prefixOverlap"]);
    at.announced!.end();
    await tick();
    if (byRequest) assert.equal(at.opened[0]!.take()[0], "cancelled");
    else assert.deepEqual(asked.take(), ["namespaceDone", { suffix: ns("room") }]);
    asked.hear(undefined);
    await asked.done;
  });

  Deno.test(`draft ${draft}: a published track that ends goes out again when it is published anew, or another has it`, async () => {
    const at = await serving(draft);
    at.announced!.end();
    const wanted = draft < 16 ? "both" : "tracks";
    const asked = at.ask("subscribeNamespace", { prefix: [], wanted });
    await tick();
    assert.equal(asked.take()[0], "requestOk");
    const publish = (hop: bigint) => {
      const context = at.track.context;
      const track = new Track("room", "video", context);
      const source = { label: `${hop}`, ownTrack: () => track } as unknown as BroadcastSource;
      const tracks = new Set(["video"]);
      const how = { hops: [hop, 0n], warm: 0, cold: 0, tracks, onlyTracks: true };
      return { track, announced: at.origin.announce("room", source, how)! };
    };
    const first = publish(5n);
    await tick();
    const published = () => at.opened.filter(({ request }) => request.kind === "publish");
    assert.equal(published().length, 1);
    published()[0]!.hear(
      { kind: "requestOk", value: { requestId: 1001, parameters: {} } } as never,
    );
    await tick();
    // Its session goes, and another one has published the same track before.
    const second = publish(6n);
    await tick();
    assert.equal(published().length, 1, "once, however many have it");
    first.announced.end();
    first.track.end({ kind: "ended" });
    await tick();
    assert.equal(published()[0]!.take()[0], "publishDone");
    assert.equal(published().length, 2);
    published()[1]!.hear(
      { kind: "requestOk", value: { requestId: 1003, parameters: {} } } as never,
    );
    await tick();
    // It goes and comes back in one moment.
    second.announced.end();
    const third = publish(7n);
    second.track.end({ kind: "ended" });
    await tick();
    assert.equal(published().length, 3);
    // One that has ended and stays published is not offered again and again.
    published()[2]!.hear(
      { kind: "requestOk", value: { requestId: 1005, parameters: {} } } as never,
    );
    third.track.end({ kind: "ended" });
    await tick();
    await tick();
    assert.equal(published().length, 3);
    asked.hear(undefined);
    await asked.done;
  });
}
