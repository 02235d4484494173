/** Where the parts of the cluster's pictures stand. In pixels. */
import type { BroadcastTree, TreeBox, TreeLine } from "./broadcast_tree.ts";

/** Least radius of the circle of nodes: that of a phone. */
const LEAST_RADIUS = 95;
/** What a node takes of the circle. */
const PER_NODE = 84;
/** Beyond the circle, for half a label. */
const MARGIN = 52;
/** For a dot, and for a dot with its label. */
const ABOVE = 14;
const BELOW = 48;

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

/** Points evenly on a circle; none is straight above its middle, where the label of what is there would be crossed. */
export function circleOf(count: number): Circle {
  const radius = Math.max(LEAST_RADIUS, count * PER_NODE / (2 * Math.PI));
  const around = Array.from({ length: count }, (_, i) => {
    const turn = 2 * Math.PI * (i + 0.5) / count - Math.PI / 2;
    return { x: radius * Math.cos(turn), y: radius * Math.sin(turn) };
  });
  // A few nodes do not take the whole height of the circle.
  const ys = [0, ...around.map(({ y }) => y)];
  const middle = { x: radius + MARGIN, y: ABOVE - Math.min(...ys) };
  return {
    width: 2 * middle.x,
    height: middle.y + Math.max(...ys) + BELOW,
    middle,
    points: around.map(({ x, y }) => ({ x: middle.x + x, y: middle.y + y })),
  };
}

export const BOX_WIDTH = 132;
export const BOX_HEIGHT = 42;
const GAP = 12;
const ROW_HEIGHT = BOX_HEIGHT + 34;

/** How far a line that passes a row goes around it, on each side. */
const AROUND = 26;

export interface Placed extends Point {
  readonly box: TreeBox;
}

export interface Rows {
  readonly width: number;
  readonly height: number;
  /** Top left corners. */
  readonly placed: readonly Placed[];
  readonly lines: readonly { readonly line: TreeLine; readonly path: string }[];
}

/** Boxes in rows, those of a row side by side around the middle, and lines that pass no box. */
export function rowsOf({ boxes, lines }: BroadcastTree): Rows {
  const rows = Map.groupBy(boxes.toSorted((a, b) => a.row - b.row), ({ row }) => row);
  const most = Math.max(...[...rows.values()].map(({ length }) => length));
  const inner = most * (BOX_WIDTH + GAP) - GAP;
  const width = inner + 2 * AROUND;
  const placed = [...rows.values()].flatMap((row, down) => {
    const left = (width - (row.length * (BOX_WIDTH + GAP) - GAP)) / 2;
    return row.map((box, at) => ({
      box,
      x: left + at * (BOX_WIDTH + GAP),
      y: down * ROW_HEIGHT,
    }));
  });
  const at = new Map(placed.map((each) => [each.box.id, each]));
  return {
    width,
    height: rows.size * ROW_HEIGHT - (ROW_HEIGHT - BOX_HEIGHT),
    placed,
    lines: lines.map((line) => {
      const [from, to] = [at.get(line.from)!, at.get(line.to)!];
      return { line, path: pathOf(from, to, width) };
    }),
  };
}

/** From the lower edge of a box to the upper edge of one below it. */
function pathOf(from: Placed, to: Placed, width: number): string {
  const [x, y] = [from.x + BOX_WIDTH / 2, from.y + BOX_HEIGHT];
  const end = to.x + BOX_WIDTH / 2;
  if (to.y - from.y <= ROW_HEIGHT) return `M${x} ${y}L${end} ${to.y}`;
  // Around the rows between, on the nearer side.
  const side = x + end >= width ? width - AROUND / 2 : AROUND / 2;
  const gap = ROW_HEIGHT - BOX_HEIGHT;
  const [upper, lower] = [y + gap, to.y - gap];
  return `M${x} ${y}C${x} ${upper} ${side} ${y} ${side} ${upper}V${lower}` +
    `C${side} ${to.y} ${end} ${lower} ${end} ${to.y}`;
}

/** A label that fits its place. */
export const cutTo = (text: string, signs: number) =>
  text.length <= signs ? text : `${text.slice(0, signs - 1)}…`;
