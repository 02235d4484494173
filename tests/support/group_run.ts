/**
 * The first missing number of `count` groups in a row, which begin with the lowest number received.
 * `undefined` if none is missing. Groups overtake each other, so their order does not matter.
 */
export function missingOf(sequences: readonly number[], count: number): number | undefined {
  const came = new Set(sequences);
  const first = Math.min(...sequences);
  for (let sequence = first; sequence < first + count; sequence++) {
    if (!came.has(sequence)) return sequence;
  }
  return undefined;
}
