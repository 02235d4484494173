/** Reads what `/metrics` answers, as far as the dashboard needs it (Prometheus text format 0.0.4). */

/** One line of the text. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Every sample of the text; lines that are none are passed over. */
export function parseSamples(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const [, name, labelText = "", value] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const labels: Record<string, string> = {};
    for (const [, label, quoted] of labelText.matchAll(LABEL)) {
      labels[label!] = quoted!.replace(/\\(.)/g, (_, c) => c === "n" ? "\n" : c);
    }
    const number = Number(value!.replace("Inf", "Infinity"));
    if (!Number.isNaN(number)) samples.push({ name, labels, value: number });
  }
  return samples;
}

/**
 * The sum of a metric over its labels, those alone that have the given ones.
 * @returns `undefined` when there is no such sample.
 */
export function total(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samples.filter((sample) =>
    sample.name === name &&
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}
