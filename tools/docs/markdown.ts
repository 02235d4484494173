import { wrapped } from "../../config/example_yaml.ts";

/** Width of a line of text in Markdown. */
export const WIDTH = 100;

/** A Markdown table, as `deno fmt` writes it. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((cell, i) =>
    Math.max(cell.length, ...rows.map((row) => row[i]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(header), rule, ...rows.map(line)];
}

/** An item of a Markdown list, in lines. */
export const item = (text: string) =>
  wrapped(text, WIDTH - 2).map((line, i) => `${i === 0 ? "- " : "  "}${line}`);
