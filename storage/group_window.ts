/** The last entry that began at or before `atMs`, and those after it: at most `limit`. `entries` are in order of time. */
export function groupWindow<T extends { readonly storedAtMs: number }>(
  entries: readonly T[],
  atMs: number,
  limit: number,
): T[] {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.storedAtMs <= atMs) low = middle + 1;
    else high = middle;
  }
  const start = Math.max(0, low - 1);
  return entries.slice(start, start + limit);
}
