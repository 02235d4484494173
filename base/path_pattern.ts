/**
 * Patterns of broadcast paths: `*` stands for exactly one part, `**` at the end for any number of parts, none included.
 *
 * @module
 */

/** Whether a text is a pattern: `*` stands alone in a part, and `**` only at the end. */
export function isPattern(text: string): boolean {
  const parts = text.split("/");
  return parts.every((part, i) =>
    part === "*" || (part === "**" && i === parts.length - 1) ||
    (part !== "" && !part.includes("*"))
  );
}

/** @param path Without outer slashes. */
export function matchesPattern(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const parts = path.split("/");
  const open = wanted.at(-1) === "**";
  if (open) wanted.pop();
  if (open ? parts.length < wanted.length : parts.length !== wanted.length) return false;
  return wanted.every((part, i) => part === "*" || part === parts[i]);
}
