/**
 * Curves on two logarithmic axes: measured points, and the line that goes on behind them.
 *
 * @module
 */

export interface Curve {
  readonly name: string;
  readonly color: string;
  /** Measured, in the order of x. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Where the curve goes on, not measured. */
  readonly further?: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly curves: readonly Curve[];
}

const WIDTH = 420;
const HEIGHT = 330;
const LEFT = 62;
const RIGHT = 14;
const TOP = 34;
const BOTTOM = 40;

/** The panels side by side, as an SVG picture. */
export function svgOf(panels: readonly Panel[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${
      WIDTH * panels.length
    } ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH * panels.length}" height="${HEIGHT}" fill="#fff"/>`,
    ...panels.flatMap((panel, i) => [
      `<g transform="translate(${WIDTH * i} 0)">`,
      ...panelOf(panel),
      "</g>",
    ]),
    "</svg>",
    "",
  ].join("\n");
}

function panelOf({ title, x, y, curves }: Panel): string[] {
  const all = curves.flatMap(({ points, further = [] }) => [...points, ...further]);
  const xs = decades(all.map(([value]) => value));
  const ys = decades(all.map(([, value]) => value));
  const px = (value: number) => along(value, xs, LEFT, WIDTH - RIGHT);
  const py = (value: number) => along(value, ys, HEIGHT - BOTTOM, TOP);
  const line = (points: Curve["points"]) =>
    points.map(([a, b]) => `${round(px(a))},${round(py(b))}`).join(" ");
  return [
    text(LEFT, 16, title, { bold: true }),
    ...xs.flatMap((value) => [
      `<path d="M${round(px(value))} ${TOP}V${HEIGHT - BOTTOM}" stroke="#ddd"/>`,
      text(px(value), HEIGHT - BOTTOM + 14, short(value), { anchor: "middle" }),
    ]),
    ...ys.flatMap((value) => [
      `<path d="M${LEFT} ${round(py(value))}H${WIDTH - RIGHT}" stroke="#ddd"/>`,
      text(LEFT - 6, py(value) + 4, short(value), { anchor: "end" }),
    ]),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x, { anchor: "middle" }),
    text(LEFT, TOP - 5, y),
    ...curves.flatMap(({ name, color, points, further = [] }, i) => [
      `<polyline fill="none" stroke="${color}" stroke-width="1.5" points="${line(points)}"/>`,
      ...(further.length === 0 ? [] : [
        `<polyline fill="none" stroke="${color}" stroke-dasharray="4 3" points="${
          line([...points.slice(-1), ...further])
        }"/>`,
      ]),
      ...points.map(([a, b]) =>
        `<circle cx="${round(px(a))}" cy="${round(py(b))}" r="2.5" fill="${color}"/>`
      ),
      text(LEFT + 8, TOP + 14 + 14 * i, name, { fill: color }),
    ]),
  ];
}

/** Powers of ten around all values. */
function decades(values: readonly number[]): number[] {
  const above = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(...above)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...above))));
  return Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
}

function along(value: number, marks: readonly number[], from: number, to: number): number {
  const [low, high] = [Math.log10(marks[0]!), Math.log10(marks.at(-1)!)];
  return from + (to - from) * (Math.log10(Math.max(value, marks[0]!)) - low) / (high - low);
}

/** 1000 as "1k". */
function short(value: number): string {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (value >= size) return `${round(value / size)}${unit}`;
  }
  return String(value < 1 ? Number(value.toPrecision(1)) : value);
}

const round = (value: number) => Math.round(value * 10) / 10;

function text(
  x: number,
  y: number,
  words: string,
  { anchor = "start", fill = "#333", bold = false } = {},
): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${fill}"${
    bold ? ' font-weight="bold"' : ""
  }>${words}</text>`;
}
