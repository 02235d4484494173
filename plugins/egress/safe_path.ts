/**
 * Paths of broadcasts as paths of files and objects. They come from whoever publishes: nothing in one leads elsewhere.
 *
 * @module
 */
const MAX_PART_CHARS = 120;

/** Never empty; no part of it is, or begins with a dot. */
export function safePath(broadcast: string): string {
  return broadcast.split("/").filter((part) => part !== "").map(safePart).join("/") || "_";
}

function safePart(part: string): string {
  const plain = part.replaceAll(
    /[^\p{L}\p{N}._ -]/gu,
    (char) => `%${new TextEncoder().encode(char).toHex()}`,
  );
  return plain.replace(/^\./, "%2e").slice(0, MAX_PART_CHARS);
}
