/**
 * How one metric is declared.
 *
 * @module
 */
import type { MetricsSnapshot } from "./snapshot.ts";

/** One value of a metric with labels. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

interface Declared {
  /** `qumo_…`, with the unit, and `_total` when it counts. */
  readonly name: string;
  readonly type: "counter" | "gauge";
  /** One sentence; it stands in the exposition and in docs/metrics.md. */
  readonly help: string;
}

export interface PlainMetric extends Declared {
  readonly labels?: undefined;
  readonly open?: undefined;
  /** `undefined` when there is no value: the metric then has no series. */
  readonly read: (snapshot: MetricsSnapshot) => number | undefined;
}

export interface LabelledMetric extends Declared {
  readonly open?: undefined;
  /** Every value that each label may have. So the number of series is fixed. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  /** A combination that is missing is 0. Values of the same combination are added up. */
  readonly read: (snapshot: MetricsSnapshot) => readonly Sample[];
}

/** One series for each thing that the operator has named, never for what a peer has named. */
export interface OpenMetric extends Declared {
  readonly labels?: undefined;
  /** Names of its labels. */
  readonly open: readonly string[];
  readonly read: (snapshot: MetricsSnapshot) => readonly Sample[];
}

export type Metric = PlainMetric | LabelledMetric | OpenMetric;

/** Metrics about one thing. */
export interface MetricSection {
  readonly title: string;
  readonly metrics: readonly Metric[];
}

/** Stands for every value that a label does not list, if the label lists this one. */
const OTHER = "other";

/** Every series of a labelled metric with its value. @throws {RangeError} A label has a value that it does not list. */
export function seriesOf(metric: LabelledMetric, snapshot: MetricsSnapshot): Sample[] {
  const all = new Map(combinations(metric.labels).map((labels) => [keyOf(metric, labels), labels]));
  const values = new Map<string, number>([...all.keys()].map((key) => [key, 0]));
  for (const [labels, value] of metric.read(snapshot)) {
    const key = keyOf(metric, listed(metric, labels));
    values.set(key, values.get(key)! + value);
  }
  return [...all].map(([key, labels]) => [labels, values.get(key)!] as const);
}

function combinations(labels: LabelledMetric["labels"]): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (sets, [name, values]) =>
      sets.flatMap((set) => values.map((value) => ({ ...set, [name]: value }))),
    [{}],
  );
}

function listed({ name, labels }: LabelledMetric, given: Sample[0]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [label, values] of Object.entries(labels)) {
    const value = given[label] ?? "";
    if (values.includes(value)) out[label] = value;
    else if (values.includes(OTHER)) out[label] = OTHER;
    else throw new RangeError(`Cannot count ${name}: ${label} "${value}" is not in its catalogue`);
  }
  return out;
}

const keyOf = ({ labels }: LabelledMetric, given: Readonly<Record<string, string>>) =>
  Object.keys(labels).map((name) => given[name]).join("\0");
