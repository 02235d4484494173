/** Search in the list of what is live. */

/** From so many on there is a search field. */
export const MANY_BROADCASTS = 10;

const folded = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** The names that contain every word of a search, in any case and with any accents. An empty search finds all. */
export function found(names: readonly string[], search: string): readonly string[] {
  const words = folded(search).split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return names;
  return names.filter((name) => {
    const text = folded(name);
    return words.every((word) => text.includes(word));
  });
}
