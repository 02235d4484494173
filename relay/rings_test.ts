/** Relays that are linked in a ring ask each other for what they have lost. */
import assert from "node:assert/strict";
import { FakeReader, FakeSource, LIVE, testContext } from "../tests/support/fixtures/relay.ts";
import { Origin } from "./origin.ts";

const PRICE = { warm: 1, cold: 1 };

function ring() {
  const context = testContext();
  return { clock: context.clock, origin: new Origin({ context, hop: 7n, lingerMs: 0 }) };
}

Deno.test("a reader of a withdrawn broadcast gets what still comes, and its end when nothing comes any more", () => {
  const { clock, origin } = ring();
  const source = new FakeSource("next in the ring");
  const announced = origin.announce("a", source, { ...PRICE, hops: [1n, 2n] })!;
  const reader = new FakeReader();
  origin.find("a")!.track("a", "v").add(reader);
  source.last.group(0);
  announced.end();
  clock.advance(4000);
  source.last.group(1);
  clock.advance(4000);
  source.last.group(2);
  clock.advance(6000);
  assert.deepEqual([reader.sequences, reader.end], [[0, 1, 2], undefined]);
  clock.advance(5000);
  assert.equal(reader.end?.kind, "failed");
  assert.equal(source.open, 0);
});

Deno.test("a relay whose route runs through the one that asks takes another route for both, and pulls once", () => {
  const { origin } = ring();
  const [asker, publisher] = [new FakeSource("asker"), new FakeSource("publisher")];
  origin.announce("a", asker, { ...PRICE, hops: [1n, 5n], peer: true });
  const own = new FakeReader();
  const track = origin.find("a")!.track("a", "v");
  track.add(own);
  assert.deepEqual([asker.open, publisher.open], [1, 0]);
  // The publisher has come here. The node that had it before asks at once.
  origin.announce("a", publisher, { warm: 0, cold: 0, hops: [1n], peer: true });
  const asked = origin.find("a", 5n)!.track("a", "v", 5n);
  assert.equal(asked, track);
  const theirs = new FakeReader(LIVE, "frames", 5n);
  asked.add(theirs);
  publisher.last.group(3);
  assert.deepEqual([own.sequences, theirs.sequences], [[3], [3]]);
  assert.equal(publisher.subscriptions.length, 1);
});
