import assert from "node:assert/strict";
import fc from "fast-check";
import { FramePool } from "../../relay/group/frame_pool.ts";
import { Group, type Subgroup } from "../../relay/group/group.ts";
import { objects } from "../../tests/support/fixtures/objects.ts";
import { CONTROL_ORDER } from "../context.ts";
import {
  LAST_PLACE,
  MAX_TURN,
  Places,
  type Ranked,
  sendOrder,
  type Turned,
  Turns,
} from "./send_order.ts";
import { SUBGROUP_ORDER } from "./subgroup_order.ts";

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

function subgroup(sequence: number, id: number, publisherPriority?: number): Subgroup {
  const head = objects(id, publisherPriority === undefined ? {} : { publisherPriority });
  return Group.alone(new FramePool(), sequence, 0, { head });
}

Deno.test("SUBGROUP_ORDER ranks the subscriber's priority, the publisher's, the subscription, the group, the subgroup, within 31 bits", () => {
  const { of, maxTurn } = SUBGROUP_ORDER;
  const least = subgroup(0, 2 ** 50, 0);
  const most = subgroup(0, 0, 255);
  assert.equal(of(0, LAST_PLACE, 0, least, 255), 0);
  assert.ok(of(255, 0, maxTurn, most, 0) < CONTROL_ORDER);
  const falling = [
    of(8, 900, 0, least, 0),
    of(7, 0, maxTurn, most, 0),
    of(7, 900, 1, subgroup(0, 9), 200), // the track's priority stands in
    of(7, 0, maxTurn, subgroup(0, 0, 199), 255),
    of(7, 1, 5, subgroup(0, 0, 199), 0),
    of(7, 1, 4, subgroup(0, 0, 199), 0),
    of(7, 1, 4, subgroup(0, 1, 199), 0),
    of(7, 1, 4, subgroup(0, 6, 199), 0),
    of(7, 1, 4, subgroup(0, 7, 199), 0),
    of(7, 1, 3, subgroup(0, 0, 199), 0),
  ];
  assert.deepEqual(falling, falling.toSorted((a, b) => b - a));
  assert.equal(new Set(falling).size, falling.length);
  assert.ok(falling.every((order) => order >= 0 && order < CONTROL_ORDER));
});

Deno.test("subgroups of one group share its turn, whenever they come, also when turns begin anew", () => {
  const running: Sender[] = [];
  const turns = new Turns(running, () => {}, 6);
  const take = (sequence: number) => {
    const one = new Sender(sequence);
    turns.take(one);
    running.push(one);
    return one;
  };
  for (const sequence of [4, 5, 4, 6, 5, 5, 6, 4]) take(sequence);
  const turnsOf = () =>
    [4, 5, 6].map((s) =>
      new Set(running.filter((one) => one.sequence === s).map((one) => one.turn))
    );
  assert.deepEqual(turnsOf().map((set) => set.size), [1, 1, 1]);
  for (let sequence = 7; sequence < 20; sequence++) {
    take(sequence);
    running.splice(-1);
  }
  assert.deepEqual(turnsOf().map((set) => [...set]), [[1], [2], [3]]);
});

Deno.test("a subgroup of the newest group has its turn also when all others of the group have left", () => {
  const running = [new Sender(3)];
  const turns = new Turns(running, () => {});
  turns.take(running[0]!);
  const [first, second] = [new Sender(4), new Sender(4)];
  turns.take(first);
  turns.take(second);
  assert.deepEqual([running[0]!.turn, first.turn, second.turn], [1, 2, 2]);
});
