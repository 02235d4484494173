/** Parts of a document that a tool writes, between two comments; the rest of the document is written by hand. */

/** What stands before and after the part. */
export interface Marks {
  readonly begin: string;
  readonly end: string;
}

/**
 * Puts `text` between the marks of a document.
 * @throws {Error} The document has not each mark once, in order.
 */
export function withPart(document: string, { begin, end }: Marks, text: string): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  const twice = document.lastIndexOf(begin) !== from || document.lastIndexOf(end) !== to;
  if (from === -1 || to < from || twice) {
    throw new Error(`The document has no place marked "${begin}" … "${end}", or two of them`);
  }
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
}
