/** The values of /metrics: by name, summed over labels, and each as `name{label="value"}`. */
export type Gauges = ReadonlyMap<string, number>;

/** @param text The Prometheus text format. */
export function parseGauges(text: string): Gauges {
  const sums = new Map<string, number>();
  for (const [, name, labels, value] of text.matchAll(/^([a-z_]+)(\{[^}]*\})? (\S+)$/gm)) {
    sums.set(name!, (sums.get(name!) ?? 0) + Number(value));
    if (labels !== undefined) sums.set(name! + labels, Number(value));
  }
  return sums;
}

/** @throws {Error} The relay does not answer within `timeoutMs`. */
export async function readGauges(adminUrl: string, timeoutMs = 20_000): Promise<Gauges> {
  const answer = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(timeoutMs) });
  return parseGauges(await answer.text());
}

/** Every outcome names each limit that took effect. */
const LIMITED = "qumo_limited_total{";

/** How much these counters and the limits grew from one look to the next. Those that did not grow are left out. */
export function grown(
  before: Gauges,
  after: Gauges,
  names: readonly string[],
): Record<string, number> {
  const by = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  return Object.fromEntries(
    [...names, ...after.keys().filter((key) => key.startsWith(LIMITED))].map((name) =>
      [name, by(name)] as const
    ).filter(([, n]) => n !== 0),
  );
}
