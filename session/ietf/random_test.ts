/**
 * Peers of any two drafts say whatever comes to mind, most of it in order and some of it not. No session may end with an
 * internal error, and nothing may be thrown where nobody catches it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Ask, IetfPeer, ns } from "../../tests/support/ietf_peer.ts";
import { memoryPair } from "../../transport/memory/memory.ts";
import type { Filter } from "../../wire/ietf/filter.ts";
import type { Parameters } from "../../wire/ietf/parameters.ts";
import { PROFILES } from "../../wire/ietf/profile.ts";
import { type TestRelay, testRelay, tick } from "../peers_test.ts";

const ROUNDS = 40;
const STEPS = 60;
const utf8 = (text: string) => new TextEncoder().encode(text);

let seed = 5;
/** A number below `end`. */
function below(end: number): number {
  return (seed = (seed * 48271) % 0x7fffffff) % end;
}
const maybe = (oneOf: number) => below(oneOf) === 0;
function pick<T>(items: readonly T[]): T {
  return items[below(items.length)]!;
}

const FILTERS: readonly Filter[] = [
  { kind: "all" },
  { kind: "next-object" },
  { kind: "groups-back", groups: 1 },
  { kind: "range", start: { group: 0, object: 0 } },
  { kind: "range", start: { group: 3, object: 1 }, end: { group: 3 } },
  { kind: "range", start: { group: 5, object: 1 }, end: { group: 2 } },
];
const space = () => pick([ns("a"), ns("a", "b"), ns("c"), ns("."), ns("a".repeat(200))]);
const track = () => pick([utf8("v"), utf8("w"), utf8("")]);
const place = () => ({ group: below(5), object: below(5) });

function wishes(): Parameters {
  return {
    ...(maybe(2) ? { filter: pick(FILTERS) } : {}),
    ...(maybe(3) ? { forward: maybe(2) } : {}),
    ...(maybe(4) ? { priority: below(256) } : {}),
    ...(maybe(4) ? { deliveryTimeoutMs: 1 + below(1000) } : {}),
    ...(maybe(6) ? { rendezvousTimeoutMs: below(2000) } : {}),
    ...(maybe(4) ? { groupOrder: pick(["ascending", "descending"] as const) } : {}),
    ...(maybe(6) ? { tokens: [{ kind: "value", type: 0, value: utf8("x") }] } : {}),
  };
}

let alias = 10;

class Talker {
  readonly asks: Ask[] = [];

  constructor(readonly peer: IetfPeer) {}

  static async at({ relay }: TestRelay): Promise<Talker> {
    const { alpn, draft } = pick(PROFILES);
    const [near, far] = memoryPair({ protocol: alpn, canReset: maybe(2) });
    void relay.accept(far);
    return new Talker(await IetfPeer.client(near, draft));
  }

  /** Says one thing. What a draft has no bytes for is not said. */
  async say(): Promise<void> {
    const { peer } = this;
    if (peer.closed !== undefined) return;
    try {
      const said = await pick(SAYINGS)(this);
      if (said instanceof Ask) this.asks.push(said);
    } catch (error) {
      if (error instanceof RangeError) return;
      assert.match(String(error), /cannot be taken back|closed|ended/);
    }
  }

  /** One of the requests that it has made, or that it was asked. */
  some(ours: boolean): Ask | undefined {
    return pick([undefined, ...this.asks.filter(({ id }) => this.peer.isOurs(id) === ours)]);
  }

  async answer(): Promise<void> {
    while (this.peer.waiting > 0) {
      const ask = await this.peer.asked();
      this.asks.push(ask);
      const { kind } = ask.request;
      if (maybe(4)) ask.say("requestError", { code: below(40), reason: "no" });
      else if (kind === "fetch") ask.say("fetchOk", { end: place() });
      else if (kind !== "subscribe") ask.say("requestOk");
      else {
        const parameters = maybe(2) ? { largest: place() } : {};
        ask.say("subscribeOk", { alias: maybe(10) ? 10 : alias++, parameters });
      }
    }
  }

  async stream(): Promise<void> {
    const header = { alias: alias - below(6), group: below(6), subgroup: pick([0, 1, undefined]) };
    const stream = await this.peer.subgroup(header);
    stream.objects("ab", { id: 3 + below(4), payload: "cd" });
    pick([() => stream.fin(), () => stream.reset(1), () => {}])();
  }
}

const SAYINGS: readonly ((talker: Talker) => unknown)[] = [
  ({ peer }) => peer.ask("subscribe", { namespace: space(), track: track(), parameters: wishes() }),
  ({ peer }) => peer.ask("publishNamespace", { namespace: space() }),
  ({ peer }) => peer.ask("publish", { namespace: space(), track: track(), alias: alias++ }),
  ({ peer }) => peer.ask("subscribeNamespace", { prefix: space() }),
  ({ peer }) => peer.ask("subscribeTracks", { prefix: space() }),
  ({ peer }) =>
    peer.ask("fetch", {
      target: maybe(3)
        ? { kind: "joining", subscription: below(10), from: "group", group: below(4) }
        : { kind: "track", namespace: space(), track: track() },
      parameters: { filter: FILTERS[3 + below(3)]! },
    }),
  (talker) => talker.some(true)?.update(wishes()),
  (talker) => talker.some(maybe(2))?.cancel(),
  (talker) => talker.some(maybe(2))?.stream?.send.finish(),
  (talker) => talker.answer(),
  (talker) => talker.stream(),
  (talker) => {
    const ask = talker.some(maybe(10));
    if (ask?.request.kind === "subscribe") {
      ask.say("publishDone", { code: below(10), streams: below(3), reason: "" });
    }
  },
  ({ peer }) => peer.datagram({ alias: alias - below(6), ...place() }, "hi"),
];

Deno.test("whatever peers of moq-transport say, the relay stands", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const relay = testRelay({ maxMessageRate: 0 });
    const talkers = [await Talker.at(relay), await Talker.at(relay), await Talker.at(relay)];
    await tick();
    for (let step = 0; step < STEPS; step++) {
      await pick(talkers).say();
      if (maybe(3)) await tick();
      if (maybe(6)) relay.clock.advance(below(1500));
    }
    await tick(2);
    relay.clock.advance(10_000);
    await tick(2);
    for (const { peer: { closed, profile } } of talkers) {
      assert.notEqual(closed?.code, 1, `${profile.name} in round ${round}: ${closed?.reason}`);
    }
    await relay.relay.close();
  }
});
