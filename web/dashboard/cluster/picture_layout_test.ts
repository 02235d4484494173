import assert from "node:assert/strict";
import type { TreeBox } from "./broadcast_tree.ts";
import { BOX_HEIGHT, BOX_WIDTH, circleOf, cutTo, rowsOf } from "./picture_layout.ts";

Deno.test("nodes on the circle stay within the picture and keep their distance, however many", () => {
  for (const count of [1, 2, 3, 8, 30, 64]) {
    const { width, height, points } = circleOf(count);
    assert.equal(points.length, count);
    for (const [i, { x, y }] of points.entries()) {
      assert.ok(x >= 50 && x <= width - 50 && y >= 9 && y <= height - 45, `${count}: ${x} ${y}`);
      const next = points[(i + 1) % count]!;
      if (count > 1) assert.ok(Math.hypot(next.x - x, next.y - y) > 60, `${count} nodes`);
    }
  }
  assert.ok(circleOf(3).width <= 300, "a few fit a phone");
});

const box = (id: string, row: number): TreeBox => ({ id, label: id, about: "", kind: "node", row });

Deno.test("boxes overlap nowhere, and a line that passes a row passes it beside the boxes", () => {
  const boxes = [
    box("p", -3),
    box("a", -2),
    box("b", -1),
    box("self", 0),
    box("v", 1),
    box("w", 1),
  ];
  const lines = [
    { from: "p", to: "a", used: true },
    { from: "a", to: "self", used: true },
  ];
  const { width, height, placed, lines: drawn } = rowsOf({ boxes, lines, routes: [] });
  for (const [i, one] of placed.entries()) {
    assert.ok(one.x >= 0 && one.x + BOX_WIDTH <= width && one.y + BOX_HEIGHT <= height);
    for (const other of placed.slice(i + 1)) {
      const apart = Math.abs(one.x - other.x) >= BOX_WIDTH ||
        Math.abs(one.y - other.y) >= BOX_HEIGHT;
      assert.ok(apart, `${one.box.id} and ${other.box.id}`);
    }
  }
  assert.match(drawn[0]!.path, /^M[\d.]+ [\d.]+L/);
  const side = Number(/ ([\d.]+) [\d.]+V/.exec(drawn[1]!.path)![1]);
  for (const { x } of placed) assert.ok(side < x || side > x + BOX_WIDTH, `${side} is in a box`);
});

Deno.test("cutTo() says that something is cut", () => {
  assert.equal(cutTo("relay.example", 13), "relay.example");
  assert.equal(cutTo("relay.example", 6), "relay…");
});
