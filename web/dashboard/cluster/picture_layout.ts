/** Where the parts of the cluster's pictures stand. In pixels. */
import type { BroadcastTree, TreeBox } from "./broadcast_tree.ts";

/** Least radius of the circle of nodes: that of a phone. */
const LEAST_RADIUS = 95;
/** What a node takes of the circle. */
const PER_NODE = 84;
/** Beyond the circle, for half a label. */
const MARGIN = 52;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Circle {
  readonly width: number;
  readonly height: number;
  readonly middle: Point;
  readonly points: readonly Point[];
}

/** Points evenly on a circle, the first at its top. */
export function circleOf(count: number): Circle {
  const radius = Math.max(LEAST_RADIUS, count * PER_NODE / (2 * Math.PI));
  const middle = { x: radius + MARGIN, y: radius + 24 };
  const points = Array.from({ length: count }, (_, i) => {
    const turn = 2 * Math.PI * i / count - Math.PI / 2;
    return { x: middle.x + radius * Math.cos(turn), y: middle.y + radius * Math.sin(turn) };
  });
  return { width: 2 * middle.x, height: 2 * radius + 72, middle, points };
}

export const BOX_WIDTH = 132;
export const BOX_HEIGHT = 42;
const GAP = 12;
const ROW_HEIGHT = BOX_HEIGHT + 34;

export interface Placed extends Point {
  readonly box: TreeBox;
}

export interface Rows {
  readonly width: number;
  readonly height: number;
  /** Top left corners. */
  readonly placed: readonly Placed[];
}

/** Boxes in rows, those of a row side by side around the middle. */
export function rowsOf({ boxes }: BroadcastTree): Rows {
  const rows = Map.groupBy(boxes.toSorted((a, b) => a.row - b.row), ({ row }) => row);
  const most = Math.max(...[...rows.values()].map(({ length }) => length));
  const width = most * (BOX_WIDTH + GAP) - GAP;
  const placed = [...rows.values()].flatMap((row, down) => {
    const left = (width - (row.length * (BOX_WIDTH + GAP) - GAP)) / 2;
    return row.map((box, at) => ({
      box,
      x: left + at * (BOX_WIDTH + GAP),
      y: down * ROW_HEIGHT,
    }));
  });
  return { width, height: rows.size * ROW_HEIGHT - (ROW_HEIGHT - BOX_HEIGHT), placed };
}

/** A label that fits its place. */
export const cutTo = (text: string, signs: number) =>
  text.length <= signs ? text : `${text.slice(0, signs - 1)}…`;
