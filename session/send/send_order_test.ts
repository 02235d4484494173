import assert from "node:assert/strict";
import fc from "fast-check";
import {
  LAST_PLACE,
  MAX_TURN,
  Places,
  type Ranked,
  sendOrder,
  type Turned,
  Turns,
} from "./send_order.ts";

class Subscription implements Ranked {
  place = -1;
  placed(place: number): void {
    this.place = place;
  }
}

class Sender implements Turned {
  turn = 0;
  constructor(readonly sequence: number) {}
}

Deno.test("sendOrder() ranks priority before subscription before turn, within 31 bits", () => {
  const highest = sendOrder(255, 0, MAX_TURN);
  assert.ok(highest < 0x7fff_ffff, "control streams stand above");
  assert.equal(sendOrder(0, LAST_PLACE, 0), 0);
  assert.ok(sendOrder(1, LAST_PLACE, 0) > sendOrder(0, 0, MAX_TURN));
  assert.ok(sendOrder(7, 3, 0) > sendOrder(7, 4, MAX_TURN));
  assert.ok(sendOrder(7, 3, 2) > sendOrder(7, 3, 1));
});

Deno.test("the older subscription keeps its place before the newer, however many have come and gone", () => {
  const places = new Places();
  const first = new Subscription();
  places.enter(first);
  const second = new Subscription();
  places.enter(second);
  for (let i = 0; i < 3 * LAST_PLACE; i++) {
    const guest = new Subscription();
    places.enter(guest);
    assert.ok(first.place < second.place && second.place < guest.place, `guest ${i}`);
    assert.ok(guest.place <= LAST_PLACE);
    places.leave(guest);
  }
});

Deno.test("more subscriptions than there are places share the last", () => {
  const places = new Places();
  const all = Array.from({ length: LAST_PLACE + 10 }, () => {
    const one = new Subscription();
    places.enter(one);
    return one;
  });
  assert.deepEqual(all.slice(-2).map(({ place }) => place), [LAST_PLACE, LAST_PLACE]);
  assert.deepEqual(all.slice(0, 3).map(({ place }) => place), [0, 1, 2]);
});

Deno.test("a newer group of a subscription always goes before an older one, whatever their numbers", () => {
  const numbers = fc.array(fc.maxSafeNat(), { maxLength: 60 });
  fc.assert(fc.property(numbers, fc.nat(8), (sequences, keep) => {
    const running: Sender[] = [];
    const turns = new Turns(running, () => {});
    for (const sequence of new Set(sequences)) {
      const one = new Sender(sequence);
      turns.take(one);
      running.push(one);
      for (const other of running) {
        if (other.sequence < sequence) assert.ok(other.turn <= one.turn);
        if (other.sequence > sequence) assert.ok(other.turn >= one.turn);
      }
      if (running.length > keep) running.shift();
    }
  }));
});

Deno.test("turns begin anew before they run out, and those on their way keep their order", () => {
  const running = [new Sender(0), new Sender(1)];
  const moved: number[] = [];
  const turns = new Turns(running, ({ sequence }) => moved.push(sequence));
  for (const one of running) turns.take(one);
  for (let sequence = 2; sequence < MAX_TURN + 100; sequence++) {
    const one = new Sender(sequence);
    turns.take(one);
    assert.ok(one.turn > running[1]!.turn && running[1]!.turn > running[0]!.turn);
    assert.ok(one.turn <= MAX_TURN);
  }
  assert.deepEqual(moved, [0, 1], "once");
});
