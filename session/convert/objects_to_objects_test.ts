import assert from "node:assert/strict";
import fc from "fast-check";
import {
  Bridge,
  headOf,
  OBJECT_LAYOUTS,
  objectsOf,
  pieces,
  plain,
  readBack,
  written,
} from "../../tests/support/fixtures/bridge.ts";
import { STATUS } from "../../wire/ietf/data/object_head.ts";
import type { ObjectLayout } from "./layouts.ts";

const pairs = OBJECT_LAYOUTS.flatMap((from) =>
  OBJECT_LAYOUTS.filter((to) => to !== from).map((to) => [from, to] as const)
);
/** Normal ones, and those that every draft has. */
const status = fc.constantFrom(0, 0, 0, STATUS.endOfGroup, STATUS.endOfTrack);

for (const [from, to] of pairs) {
  Deno.test(`${from} as ${to}: ids, gaps, properties, status and payload stay, however the bytes come`, () => {
    fc.assert(
      fc.property(objectsOf(status), fc.array(fc.nat()), fc.boolean(), (list, cuts, early) => {
        const bridge = new Bridge();
        const bytes = written(list, from);
        const reader = early ? bridge.read(to) : undefined;
        const source = bridge.open(1, headOf(from));
        for (const piece of pieces(bytes, cuts)) source.push(piece);
        source.end();
        const { bytes: copied, subgroups } = reader ?? bridge.read(to);
        assert.deepEqual(readBack(copied(), to), list);
        const [copy] = subgroups();
        assert.equal(copy!.state, "complete");
        assert.deepEqual([copy!.frames, copy!.lastId], [list.length, list.at(-1)?.id ?? -1]);
      }),
      { numRuns: 60 },
    );
  });
}

Deno.test("a payload goes on as its bytes come, also where its head came in pieces", () => {
  for (const [from, to] of pairs) {
    const bridge = new Bridge();
    const { bytes: copied } = bridge.read(to);
    const source = bridge.open(1, headOf(from));
    const bytes = written([plain(3, "payload", [{ type: 0x3c, value: 70_000 }])], from);
    let before = 0;
    for (const byte of bytes) {
      source.push(Uint8Array.of(byte));
      const now = copied().length;
      if (now === 0) continue;
      assert.ok(before === 0 || now === before + 1);
      before = now;
    }
    assert.equal(new TextDecoder().decode(copied().subarray(-7)), "payload");
  }
});

Deno.test("each subgroup stays one, with its number, its priority and what it says of its end", () => {
  const bridge = new Bridge();
  const { bytes, subgroups } = bridge.read("objects18");
  const heads = [
    headOf("objects16", 0, { publisherPriority: 7 }),
    headOf("objects16", 5, { endOfGroup: true, properties: false, firstObject: true }),
  ];
  const lists = [[plain(0, "a"), plain(2, "c")], [plain(1, "b")]];
  heads.forEach((head, i) => {
    const source = bridge.open(1, head);
    source.push(written(lists[i]!, "objects16", head.properties));
    source.end(i === 0 ? "cut" : "complete");
  });
  assert.deepEqual(
    subgroups().map(({ head, state }) => ({ head, state })),
    heads.map((head, i) => ({
      head: { ...head, layout: "objects18" },
      state: i === 0 ? "cut" : "complete",
    })),
  );
  heads.forEach(({ properties }, i) => {
    assert.deepEqual(readBack(bytes(i), "objects18", properties), lists[i]);
  });
});

Deno.test("an object that does not exist is a gap where there is no such status", () => {
  const gone = { ...plain(1, ""), status: STATUS.doesNotExist };
  const list = [plain(0, "a"), gone, plain(2, ""), { ...plain(4, ""), status: STATUS.endOfGroup }];
  for (const to of ["objects16", "objects18"] as const) {
    const bridge = new Bridge();
    const { bytes } = bridge.read(to);
    bridge.open(1, headOf("objects14")).push(written(list, "objects14"));
    assert.deepEqual(readBack(bytes(), to), list.filter((object) => object !== gone));
  }
});

Deno.test("properties of an object that has a status are left out where they are forbidden", () => {
  const end = { ...plain(4, "", [{ type: 2, value: 3 }]), status: STATUS.endOfGroup };
  const bridge = new Bridge();
  const { bytes } = bridge.read("objects16");
  bridge.open(1, headOf("objects14")).push(written([end], "objects14"));
  assert.deepEqual(readBack(bytes(), "objects16"), [{ ...end, properties: [] }]);
});

Deno.test("what is no object cuts the copy; that is counted, and those who read it as it is go on", () => {
  const bad: [ObjectLayout, string][] = [
    ["objects16", "00 00 00 01"], // no such status
    ["objects16", "00 02 0d 05 01 61"], // properties that are not whole
    ["objects18", "00 c0 ff ff 01"], // too many bytes of properties
  ];
  for (const [from, hex] of bad) {
    const bridge = new Bridge();
    const to = from === "objects16" ? "objects18" : "objects16";
    const [same, other] = [bridge.read(from), bridge.read(to)];
    const source = bridge.open(1, headOf(from));
    const bytes = Uint8Array.fromHex(hex.replaceAll(" ", ""));
    source.push(written([plain(0, "a")], from));
    const good = other.bytes();
    source.push(bytes);
    source.push(bytes);
    assert.equal(other.subgroups()[0]!.state, "cut");
    assert.deepEqual(other.bytes(), good);
    assert.equal(bridge.context.stats.groupsUnconverted, 1);
    assert.equal(same.subgroups()[0]!.state, "open");
    assert.equal(same.bytes().length, source.subgroup.bytes);
  }
});
