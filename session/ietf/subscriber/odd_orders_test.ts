/** A peer that says and sends what it may in any order: whatever it does, nothing is left when its session is over. */
import assert from "node:assert/strict";
import { FakeReader } from "../../../tests/support/fixtures/relay.ts";
import {
  type ScriptedExchange,
  tick,
  Upstream,
} from "../../../tests/support/fixtures/ietf_upstream.ts";
import { ns, raw } from "../../../tests/support/ietf_peer.ts";
import type { ScriptedSubgroup } from "../../../tests/support/peers/ietf_streams.ts";
import { ConnectionClosed } from "../../../transport/errors.ts";
import type { Draft } from "../../../wire/ietf/profile.ts";
import { layoutOf } from "../context.ts";

const NAMES = ["a", "b"];
const STEPS = 120;

/** Numbers below a bound, the same for each seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
}

/** One session and a peer that takes steps at random. */
class Walk {
  readonly pick: (below: number) => number;
  readonly exchanges: ScriptedExchange[] = [];
  readonly streams: ScriptedSubgroup[] = [];
  readonly readers: (() => void)[] = [];

  constructor(readonly up: Upstream, seed: number) {
    this.pick = random(seed);
  }

  /** Takes so many steps, unless the session is closed before. */
  async steps(count: number): Promise<void> {
    try {
      for (let i = 0; i < count; i++) await this.#step();
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) throw error;
    }
  }

  async #step(): Promise<void> {
    const { up, pick } = this;
    while (up.asked.length > 0) this.exchanges.push((await up.asked.next())!);
    const name = NAMES[pick(NAMES.length)]!;
    const alias = pick(4);
    const group = pick(6);
    const one = this.exchanges[pick(Math.max(1, this.exchanges.length))];
    const stream = this.streams[pick(Math.max(1, this.streams.length))];
    const steps: (() => unknown)[] = [
      () => this.exchanges.push(up.publishes("publishNamespace", { namespace: ns(name) })),
      () => {
        const largest = pick(2) === 0 ? {} : { largest: { group, object: pick(4) } };
        const track = { namespace: ns(name), track: raw("t"), alias: 10 + NAMES.indexOf(name) };
        this.exchanges.push(up.publishes("publish", { ...track, parameters: largest }));
      },
      () => this.#watch(name),
      () => this.readers.splice(pick(Math.max(1, this.readers.length)), 1)[0]?.(),
      () => this.#answer(one, alias, group),
      () => this.#answer(one, alias, group),
      () => one?.over(),
      () => one?.reset(),
      async () => {
        const subgroup = [undefined, 0, 1, 2][pick(4)];
        const to = [alias, 10, 11][pick(3)]!;
        const properties = pick(2) === 0;
        this.streams.push(await up.peer.subgroup({ alias: to, group, subgroup, properties }));
      },
      () => stream?.object({ payload: "x".repeat(pick(300)) }),
      () => stream?.object({ payload: "y" }),
      () => this.#part(stream),
      () => stream?.fin(),
      () => stream?.reset(),
      () => up.peer.datagram({ alias: [alias, 10][pick(2)]!, group, object: pick(3) }, "d"),
      async () => {
        const answer = await up.peer.fetchStream(one?.id ?? 0);
        answer.object({ group, object: pick(4) }, "f");
        if (pick(2) === 0) answer.fin();
      },
      () => up.relay.clock.advance(pick(700)),
      () => tick(),
    ];
    await steps[pick(steps.length)]!();
  }

  #watch(name: string): void {
    const { up, pick } = this;
    const track = up.origin.find(name, 0n, "t")?.track(name, "t");
    const layout = pick(2) === 0 ? "frames" : layoutOf(up.context.profile);
    const reader = new FakeReader({ priority: 1, maxLatencyMs: pick(2) * 1000 }, layout);
    track?.add(reader);
    if (track !== undefined) this.readers.push(() => track.remove(reader));
  }

  #answer(one: ScriptedExchange | undefined, alias: number, group: number): void {
    const { pick } = this;
    const kind = one?.request.kind;
    if (kind === "subscribe" && pick(3) > 0) {
      const largest = pick(2) === 0 ? {} : { largest: { group, object: pick(4) } };
      one!.hears("subscribeOk", { alias, parameters: largest });
    } else if (kind === "fetch") one!.hears("fetchOk", { end: { group } });
    else if (kind === "subscribe" || kind === "publish") {
      one!.hears("publishDone", { code: pick(8), streams: pick(4) });
    }
  }

  #part(stream: ScriptedSubgroup | undefined): void {
    const bytes = stream?.bytesOf("z".repeat(20));
    if (bytes !== undefined) stream!.raw(bytes.subarray(0, this.pick(bytes.length)));
  }
}

Deno.test("whatever a peer does in whatever order, nothing is left of it", async () => {
  for (const draft of [14, 16, 18, 22] as readonly Draft[]) {
    for (let seed = 1; seed <= 10; seed++) {
      const up = await Upstream.of(draft);
      const walk = new Walk(up, draft * 1000 + seed);
      try {
        await walk.steps(STEPS);
        await tick(2);
        for (const leave of walk.readers) leave();
        up.subscriber.close(seed % 2 === 0);
        up.peer.close();
        await tick(2);
        up.relay.clock.advance(60_000);
        await tick();
        const { announcements, subscriptions, held } = up.subscriber;
        assert.deepEqual({ announcements, subscriptions, ...held }, {
          announcements: 0,
          subscriptions: 0,
          streams: 0,
          datagrams: 0,
        });
        assert.equal(up.origin.size, 0);
        assert.equal(up.relay.pool.stats.inUse, 0);
      } catch (error) {
        throw new Error(`draft ${draft}, seed ${seed}`, { cause: error });
      }
    }
  }
});
