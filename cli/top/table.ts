/**
 * Tables that fit a terminal.
 *
 * @module
 */
import { columnsOf, cut } from "../shell/columns.ts";

/** The size of the picture, and what stands above it. */
export interface ScreenOptions {
  readonly title: string;
  readonly columns: number;
  /** Lines there are; the tables are cut to fit. */
  readonly rows: number;
  /** ISO 8601 times are shown as ages before this: milliseconds since 1970. */
  readonly wallMs: number;
}

/** One column of a table. */
export interface Column<T> {
  readonly head: string;
  readonly text: (row: T) => string;
  /** Numbers stand at the right. */
  readonly right?: boolean;
  /** Gives way, down to this width, when there is not room for all. */
  readonly least?: number;
}

/** Head and rows, each cut to `columns`. */
export function table<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  width: number,
): string[] {
  const cells = [
    columns.map(({ head }) => head),
    ...rows.map((r) => columns.map((c) => c.text(r))),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => columnsOf(line[i]!))));
  for (;;) {
    const over = widths.reduce((sum, w) => sum + w + 2, -2) - width;
    const widest = columns.reduce((best, { least }, i) => {
      const room = least === undefined ? 0 : widths[i]! - least;
      return room > best.room ? { i, room } : best;
    }, { i: -1, room: 0 });
    if (over <= 0 || widest.i === -1) break;
    widths[widest.i]!--;
  }
  return cells.map((line) =>
    cut(line.map((text, i) => fitted(text, widths[i]!, columns[i]!.right)).join("  "), width)
      .trimEnd()
  );
}

function fitted(text: string, width: number, right = false): string {
  const shown = cut(text, width);
  const space = " ".repeat(width - columnsOf(shown));
  return right ? space + shown : shown + space;
}

/** "0.5", "12.0", "340". */
export const number = (value: number) =>
  value >= 100 ? String(Math.round(value)) : value.toFixed(1);

/** "1 node", "2 nodes". */
export const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Sorts texts as programs do. */
export const compare = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0;

/** "42s", "3m10s", "2h05m", "4d". */
export function age(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${two(s % 60)}s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}h${two(Math.floor(s / 60) % 60)}m`;
  return `${Math.floor(s / 86_400)}d`;
}
