import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeReader, FakeSource, testContext } from "../../tests/support/fixtures/relay.ts";
import { type Announced, Origin, type TrackEvent } from "../origin.ts";
import { originOffers } from "./origin_offers.ts";

const SELF = 1000n;

interface Session {
  readonly announced: Announced;
  readonly source: FakeSource;
  readonly path: string;
  readonly tracks: Set<string>;
  hops: readonly bigint[];
  onlyTracks: boolean;
}

/** What a watcher knows: each path or track that was told and has not gone. */
class Known {
  readonly paths = new Set<string>();
  readonly tracks = new Set<string>();

  constructor(origin: Origin) {
    origin.watch({ whole: true }, ({ kind, path }) => {
      assert.equal(this.paths.has(path), kind !== "active", `${kind} ${path}`);
      if (kind === "ended") this.paths.delete(path);
      else this.paths.add(path);
    });
    origin.watchTracks({}, ({ path, track, gone }: TrackEvent) => {
      const key = keyOf(path, track);
      assert.equal(this.tracks.has(key), gone, key);
      if (gone) this.tracks.delete(key);
      else this.tracks.add(key);
    });
  }
}

const keyOf = (path: string, track: string) => `${path} ${track}`;

/** Whether a chain is refused: it runs through the relay itself, or through another one twice. */
const isRefused = (hops: readonly bigint[]) =>
  hops.includes(SELF) || hops.some((hop, i) => hop !== 0n && hops.indexOf(hop) < i);

const STEP = fc.record({
  act: fc.constantFrom(
    ...["announce", "announce", "offer", "retract", "update", "discourage"],
    ...["end", "lose", "elapse", "read", "await"],
  ),
  path: fc.constantFrom("p", "p/q"),
  track: fc.constantFrom("a", "b"),
  hops: fc.array(fc.constantFrom(0n, 1n, 2n, 3n, SELF), { maxLength: 3 }),
  onlyTracks: fc.boolean(),
  which: fc.nat(),
  ms: fc.constantFrom(100, 2000, 5000),
});

Deno.test("published tracks leave nothing behind, and nobody waits in vain, whatever sessions do", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 40, size: "max" }), async (steps) => {
      const context = testContext();
      const { clock } = context;
      const origin = new Origin({ context, hop: SELF, lingerMs: 5000 });
      origin.allowOffers(originOffers);
      const known = new Known(origin);
      const readers: FakeReader[] = [];
      let sessions: Session[] = [];
      let waiting = 0;
      const leave = ({ announced, source }: Session, abrupt: boolean) => {
        announced.end(abrupt);
        for (const subscription of source.subscriptions) {
          if (!subscription.closed) subscription.lost();
        }
      };
      for (const { act, path, track, hops, onlyTracks, which, ms } of steps) {
        const one = sessions[which % Math.max(1, sessions.length)];
        const told = { hops, onlyTracks, warm: which % 2, cold: 0 };
        if (act === "announce") {
          const source = new FakeSource("session");
          const tracks = new Set([track]);
          const announced = origin.announce(path, source, { ...told, tracks });
          if (announced === undefined) continue;
          sessions.push({ announced, source, path, tracks, hops, onlyTracks });
        } else if (act === "read") {
          const reader = new FakeReader();
          const found = origin.find(path, 0n, track);
          if (found === undefined) continue;
          readers.push(reader);
          found.track(path, track).add(reader);
        } else if (act === "await") {
          waiting++;
          void origin.awaitRoute(path, track, ms).promise.then(() => waiting--);
        } else if (act === "elapse") clock.advance(ms);
        else if (one === undefined) continue;
        else if (act === "discourage") one.announced.discourage();
        else if (act === "offer") {
          one.announced.offer(track);
          one.tracks.add(track);
        } else if (act === "retract") {
          one.announced.retract(track);
          one.tracks.delete(track);
        } else if (act === "update") {
          one.announced.update(told);
          Object.assign(one, { hops, onlyTracks });
        } else {
          sessions = sessions.filter((other) => other !== one);
          leave(one, act === "lose");
        }
      }
      clock.advance(20_000);
      const here = sessions.filter(({ hops }) => !isRefused(hops));
      const offered = here.flatMap(({ path, tracks }) => [...tracks].map((t) => keyOf(path, t)));
      const whole = here.filter(({ onlyTracks }) => !onlyTracks).map(({ path }) => path);
      assert.deepEqual(known.tracks, new Set(offered));
      assert.deepEqual(known.paths, new Set(whole));
      for (const one of sessions) leave(one, false);
      clock.advance(60_000);
      await Promise.resolve();
      await Promise.resolve();
      assert.deepEqual([origin.size, known.paths.size, known.tracks.size, waiting], [0, 0, 0, 0]);
      assert.ok(readers.every(({ end }) => end !== undefined));
    }),
  );
});
