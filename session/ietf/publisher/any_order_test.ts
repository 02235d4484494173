import assert from "node:assert/strict";
import fc from "fast-check";
import type { Logger } from "../../../base/logger.ts";
import { type Ask, ns } from "../../../tests/support/ietf_peer.ts";
import type { MemoryConnection } from "../../../transport/memory/memory.ts";
import type { Filter } from "../../../wire/ietf/filter.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import type { Draft } from "../../../wire/ietf/profile.ts";
import { peerAt, testRelay, tick } from "../../peers_test.ts";

const TRACK = new TextEncoder().encode("video");

const small = fc.integer({ min: 0, max: 6 });
const few = fc.integer({ min: 0, max: 2 });
const place = fc.record({ group: small, object: small });
const filter = fc.oneof(
  fc.constant<Filter>({ kind: "next-object" }),
  fc.constant<Filter>({ kind: "groups-back", groups: 0 }),
  place.map((start): Filter => ({ kind: "range", start })),
  fc.tuple(place, small).map(([start, more]): Filter => ({
    kind: "range",
    start,
    end: { group: start.group + more },
  })),
);
const wishes = fc.record({
  filter,
  forward: fc.boolean(),
  priority: fc.integer({ min: 0, max: 255 }),
  groupOrder: fc.constantFrom("ascending", "descending"),
  deliveryTimeoutMs: fc.constantFrom(1, 500, 100_000),
});
/** One step of the viewer, of its publisher, or of time. */
const step = fc.oneof(
  fc.record({ do: fc.constant("subscribe"), wishes, nowhere: fc.boolean() }),
  fc.record({ do: fc.constant("fetch"), start: place, more: small, order: fc.boolean() }),
  fc.record({ do: fc.constant("join"), back: small }),
  fc.record({ do: fc.constantFrom("status", "namespaces", "tracks", "publish") }),
  fc.record({ do: fc.constant("update"), at: few, wishes }),
  fc.record({ do: fc.constantFrom("cancel", "fin"), at: few }),
  fc.record({ do: fc.constant("open"), group: small, subgroup: small, end: fc.boolean() }),
  fc.record({ do: fc.constant("write"), at: few, object: small, size: small }),
  fc.record({ do: fc.constantFrom("finish", "reset"), at: few }),
  fc.record({ do: fc.constant("wait"), ms: fc.constantFrom(0, 100, 3000) }),
);

for (const draft of [14, 16, 18, 22] as const) {
  Deno.test(`draft ${draft}: a viewer may ask for anything in any order: nothing fails inside, and nothing is left of it`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step as fc.Arbitrary<Step>, { minLength: 10, maxLength: 40, size: "max" }),
        fc.boolean(),
        async (steps, canReset) => {
          await run(draft, steps, canReset);
        },
      ),
      { numRuns: 15 },
    );
  });
}

type Step =
  & { readonly do: string; readonly at: number; readonly wishes: Parameters }
  & { readonly start: { group: number; object: number }; readonly more: number }
  & { readonly nowhere: boolean; readonly order: boolean; readonly back: number }
  & { readonly group: number; readonly subgroup: number; readonly end: boolean }
  & { readonly object: number; readonly size: number; readonly ms: number };

async function run(draft: Draft, steps: readonly Step[], canReset: boolean): Promise<void> {
  const errors: unknown[] = [];
  const log: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (message, fields) => void errors.push([message, fields]),
    with: () => log,
  } as Logger;
  const at = testRelay({ log, maxMessageRate: 0 });
  const publisher = await peerAt(at, draft);
  await (await publisher.ask("publishNamespace", { namespace: ns("room") })).expect("requestOk");
  // It accepts every subscription, and has nothing to fetch.
  const answering = (async () => {
    for (let asked; (asked = await publisher.asked().catch(() => undefined)) !== undefined;) {
      if (asked.request.kind === "subscribe") asked.say("subscribeOk", { alias: 7 });
      else asked.say("requestError", { code: 0x11 }).finish();
    }
  })();
  const viewer = await peerAt(at, draft, { canReset, windowBytes: 3000 });
  await tick();
  const far = (viewer.connection as MemoryConnection).peer;
  const begun = { namespace: ns("room"), track: TRACK };
  const next: Filter = { kind: "next-object" };
  const asks: Ask[] = [await viewer.ask("subscribe", { ...begun, parameters: { filter: next } })];
  await tick(2);
  const streams = [await publisher.subgroup({ alias: 7, group: 2 })];
  const target = { kind: "track", namespace: ns("room"), track: TRACK } as const;
  for (const one of steps) {
    if (viewer.closed !== undefined) break;
    if (one.do === "subscribe") {
      const namespace = ns(one.nowhere ? "nowhere" : "room");
      asks.push(await viewer.ask("subscribe", { namespace, track: TRACK, parameters: one.wishes }));
    } else if (one.do === "fetch") {
      const end = { group: one.start.group + one.more };
      const filter: Filter = { kind: "range", start: one.start, end };
      const groupOrder = one.order ? "ascending" : "descending";
      asks.push(await viewer.ask("fetch", { target, parameters: { filter, groupOrder } }));
    } else if (one.do === "join" && draft < 20) {
      const subscription = asks.find(({ request }) => request.kind === "subscribe")?.id ?? 90;
      const joining = {
        kind: "joining",
        subscription,
        from: "groups-back",
        group: one.back,
      } as const;
      asks.push(await viewer.ask("fetch", { target: joining }));
    } else if (one.do === "status") {
      const parameters: Parameters = { filter: { kind: "next-object" } };
      asks.push(await viewer.ask("trackStatus", { ...target, parameters }));
    } else if (one.do === "namespaces" || one.do === "tracks") {
      const kind = one.do === "tracks" && draft >= 18 ? "subscribeTracks" : "subscribeNamespace";
      asks.push(await viewer.ask(kind, { prefix: ns("room"), wanted: "both" }));
    } else if (one.do === "publish") {
      const track = new TextEncoder().encode(`t${streams.length}`);
      await publisher.ask("publish", { namespace: ns("room"), track, alias: 100 + streams.length });
    } else if (one.do === "update") {
      const found = asks[one.at];
      if (found?.request.kind === "subscribe") {
        const { groupOrder: _, ...changes } = one.wishes;
        const filter: Filter = { kind: "range", start: { group: 1, object: 0 }, end: { group: 5 } };
        found.update(draft === 14 ? { ...changes, filter } : changes);
      }
    } else if (one.do === "cancel" || one.do === "fin") {
      const [found] = asks.splice(one.at, 1);
      const kind = found?.request.kind;
      if (found === undefined || (found.stream === undefined && kind === "trackStatus")) continue;
      if (one.do === "fin" && found.stream !== undefined) found.finish();
      else found.cancel();
    } else if (one.do === "open") {
      const { group, subgroup, end: endOfGroup } = one;
      streams.push(await publisher.subgroup({ alias: 7, group, subgroup, endOfGroup }));
    } else if (one.do === "write") streams[one.at]?.object("x".repeat(one.size * 500));
    else if (one.do === "finish") streams[one.at]?.fin();
    else if (one.do === "reset") streams[one.at]?.reset();
    else if (one.do === "wait") at.clock.advance(one.ms);
    await tick();
  }
  assert.deepEqual(errors, []);
  assert.equal(viewer.closed, undefined);
  viewer.close();
  await tick(2);
  assert.deepEqual(far.openStreams, { sending: 0, receiving: 0 });
  publisher.close();
  await tick(2);
  at.clock.advance(120_000);
  await tick();
  assert.equal(at.relay.sessionCount, 0);
  assert.equal(at.relay.origin.context.pool.stats.inUse, 0);
  await at.relay.close();
  await answering;
  assert.deepEqual(errors, []);
}
