import { Chart, type Line } from "./chart.tsx";
import type { Figures } from "./dashboard_data.ts";
import { bitRate } from "../parts/format.ts";

type Value = "bitsIn" | "bitsOut" | "groupsIn" | "groupsOut" | "sessions" | "groupsKept";

interface Graph {
  readonly id: string;
  readonly title: string;
  readonly lines: readonly (Line & { readonly of: Value })[];
  readonly format: (value: number) => string;
}

const SPAN_SECONDS = 120;

const whole = (value: number) =>
  Number.isInteger(value) || value >= 10 ? value.toFixed(0) : value.toFixed(1);
const line = (name: string, of: Value, color = "--line-1") => ({ name, of, color });

const GRAPHS: readonly Graph[] = [
  {
    id: "graph-traffic",
    title: "Traffic",
    lines: [line("in", "bitsIn"), line("out", "bitsOut", "--line-2")],
    format: bitRate,
  },
  {
    id: "graph-groups",
    title: "Groups per second",
    lines: [line("in", "groupsIn"), line("out", "groupsOut", "--line-2")],
    format: whole,
  },
  { id: "graph-sessions", title: "Sessions", lines: [line("open", "sessions")], format: String },
  {
    id: "graph-cache",
    title: "Groups in the cache",
    lines: [line("kept", "groupsKept", "--line-3")],
    format: whole,
  },
];

/** The last minutes. */
export function DashboardGraphs({ history }: { readonly history: readonly Figures[] }) {
  const at = history.map(({ atSeconds }) => atSeconds);
  return (
    <div class="graphs">
      {GRAPHS.map((graph) => (
        <div class="card" key={graph.id}>
          <Chart
            {...graph}
            data={[at, ...graph.lines.map(({ of }) => history.map((figures) => figures[of]))]}
            spanSeconds={SPAN_SECONDS}
          />
        </div>
      ))}
    </div>
  );
}
