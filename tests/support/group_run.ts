/**
 * The first group number that is missing from `count` of them in a row, beginning with the lowest that came;
 * `undefined` when none is. Groups overtake each other, so their order says nothing.
 */
export function missingOf(sequences: readonly number[], count: number): number | undefined {
  const came = new Set(sequences);
  const first = Math.min(...sequences);
  for (let sequence = first; sequence < first + count; sequence++) {
    if (!came.has(sequence)) return sequence;
  }
  return undefined;
}
