import { useMemo } from "preact/hooks";
import { Chart, type Line } from "./chart.tsx";
import type { Figures } from "./dashboard_data.ts";
import { bitRate } from "../parts/format.ts";

const TRAFFIC: readonly Line[] = [
  { name: "in", color: "--line-1" },
  { name: "out", color: "--line-2" },
];
const SESSIONS: readonly Line[] = [{ name: "open", color: "--line-1" }];
const CACHE: readonly Line[] = [{ name: "kept", color: "--line-3" }];
const SPAN_SECONDS = 120;

const whole = (value: number) =>
  Number.isInteger(value) || value >= 10 ? value.toFixed(0) : value.toFixed(1);

/** The last minutes. */
export function DashboardGraphs({ history }: { readonly history: readonly Figures[] }) {
  const column = <K extends keyof Figures>(name: K) => history.map((figures) => figures[name]);
  const at = column("atSeconds");
  const [traffic, sessions, groups, kept] = useMemo(() => [
    [at, column("bitsIn"), column("bitsOut")] as const,
    [at, column("sessions")] as const,
    [at, column("groupsIn"), column("groupsOut")] as const,
    [at, column("groupsKept")] as const,
  ], [history]);
  return (
    <div class="graphs">
      <div class="card">
        <Chart
          id="graph-traffic"
          title="Traffic"
          lines={TRAFFIC}
          data={[...traffic]}
          format={bitRate}
          spanSeconds={SPAN_SECONDS}
        />
      </div>
      <div class="card">
        <Chart
          id="graph-groups"
          title="Groups per second"
          lines={TRAFFIC}
          data={[...groups]}
          format={whole}
          spanSeconds={SPAN_SECONDS}
        />
      </div>
      <div class="card">
        <Chart
          id="graph-sessions"
          title="Sessions"
          lines={SESSIONS}
          data={[...sessions]}
          format={String}
          spanSeconds={SPAN_SECONDS}
        />
      </div>
      <div class="card">
        <Chart
          id="graph-cache"
          title="Groups in the cache"
          lines={CACHE}
          data={[...kept]}
          format={whole}
          spanSeconds={SPAN_SECONDS}
        />
      </div>
    </div>
  );
}
