/**
 * Steps between the ticks of a graph's value axis: whole numbers alone, so that no two ticks bear the same text. Counts, bits
 * and milliseconds are written without a fraction where they are small.
 */
export const Y_STEPS: readonly number[] = Array.from(
  { length: 16 },
  (_, power) => [1, 2, 5].map((step) => step * 10 ** power),
).flat();
