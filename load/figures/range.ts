/** A number, or two between which one is drawn. Both ends are inclusive. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Reads "30" or "10:30". @returns `undefined` for anything else, and when the first end is above the second. */
export function parseRange(
  text: string,
  read: (one: string) => number | undefined = wholeNumber,
): Range | undefined {
  const [first, second = first, ...more] = text.split(":");
  const min = read(first!.trim());
  const max = read(second!.trim());
  if (min === undefined || max === undefined || max < min || more.length > 0) return undefined;
  return { min, max };
}

/** A decimal number without sign or exponent. */
export function plainNumber(text: string): number | undefined {
  return /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : undefined;
}

export function wholeNumber(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** Draws a whole number. `random` is like Math.random. */
export function draw({ min, max }: Range, random: () => number): number {
  return min + Math.floor(random() * (max - min + 1));
}

/** Draws any number. */
export function drawBetween({ min, max }: Range, random: () => number): number {
  return min + random() * (max - min);
}

export function printRange({ min, max }: Range): string {
  return min === max ? String(min) : `${min}:${max}`;
}

/** Numbers in [0, 1) that are the same for the same seed (Mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
