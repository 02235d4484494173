/** One line of a graph. */
export interface Series {
  readonly name: string;
  readonly color: string;
  /** One value per sample. All series of a graph have the same number of values. */
  readonly values: readonly number[];
}

export interface Graph {
  readonly title: string;
  /** What the values are counted in: "MB". */
  readonly unit: string;
  /** From the first sample to the last. */
  readonly minutes: number;
  readonly series: readonly Series[];
}

const WIDTH = 800;
const HEIGHT = 300;
const LEFT = 50;
const BOTTOM = 30;
const TOP = 40;
const RULES = 4;

/** The graph as an SVG picture. Its axis begins at 0. */
export function svgOf({ title, unit, minutes, series }: Graph): string {
  const top = niceTop(Math.max(1, ...series.flatMap(({ values }) => values)));
  const x = (i: number, n: number) => LEFT + (WIDTH - LEFT - 10) * i / Math.max(1, n - 1);
  const y = (value: number) => HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top;
  const rules = Array.from({ length: RULES + 1 }, (_, i) => top * i / RULES);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 16, title),
    ...rules.flatMap((value) => [
      `<path d="M${LEFT} ${y(value)}H${WIDTH - 10}" stroke="#ddd"/>`,
      text(LEFT - 6, y(value) + 4, `${value}`, "end"),
    ]),
    text(LEFT, HEIGHT - 8, "0 min"),
    text(WIDTH - 10, HEIGHT - 8, `${minutes} min`, "end"),
    ...series.flatMap(({ name, color, values }, i) => [
      `<polyline fill="none" stroke="${color}" stroke-width="1.5" points="${
        values.map((value, at) => `${round(x(at, values.length))},${round(y(value))}`).join(" ")
      }"/>`,
      text(LEFT + 160 * i, 32, `${name}, ${unit}`, "start", color),
    ]),
    "</svg>",
    "",
  ].join("\n");
}

function niceTop(value: number): number {
  const step = 10 ** Math.floor(Math.log10(value)) / 2;
  return Math.ceil(value / step) * step;
}

const round = (value: number) => Math.round(value * 10) / 10;

function text(x: number, y: number, words: string, anchor = "start", fill = "#333"): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${fill}">${words}</text>`;
}
