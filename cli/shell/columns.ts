/**
 * Texts in the columns of a terminal: some characters take two, some take none.
 *
 * @module
 */
import stringWidth from "string-width";

/** How many columns a text takes. */
export function columnsOf(text: string): number {
  return stringWidth(text);
}

const characters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** A text in at most so many columns; one that is cut ends in "…". */
export function cut(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let shown = "";
  let room = columns - 1;
  for (const { segment } of characters.segment(text)) {
    room -= stringWidth(segment);
    if (room < 0) break;
    shown += segment;
  }
  return columns < 1 ? "" : `${shown}…`;
}

/** Of standard output. A file or a pipe has no width; COLUMNS says which to pretend. */
export function terminalColumns(): number {
  const told = Number(Deno.env.get("COLUMNS"));
  if (Number.isInteger(told) && told > 0) return told;
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 120;
  }
}
