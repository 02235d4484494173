/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { Y_STEPS } from "./axis_steps.ts";
import { THEME_CHANGED } from "../parts/theme.tsx";

/** One line of a graph. */
export interface Line {
  readonly name: string;
  /** A custom property of the style sheet: "--line-1". */
  readonly color: string;
}

interface ChartProps {
  readonly id?: string;
  readonly title: string;
  readonly lines: readonly Line[];
  /** Seconds since 1970, then the values of each line; `null` where there is none. */
  readonly data: uPlot.AlignedData;
  /** Values as texts. */
  readonly format: (value: number) => string;
  /** How much time the graph shows, in seconds. */
  readonly spanSeconds: number;
}

const HEIGHT_PX = 150;

/** A live graph with its latest values in words. */
export function Chart(props: ChartProps) {
  const { id, title, lines, data, format } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [theme, setTheme] = useState(0);

  useEffect(() => {
    const again = () => setTheme((n) => n + 1);
    const system = matchMedia("(prefers-color-scheme: dark)");
    document.addEventListener(THEME_CHANGED, again);
    system.addEventListener("change", again);
    return () => {
      document.removeEventListener(THEME_CHANGED, again);
      system.removeEventListener("change", again);
    };
  }, []);

  useEffect(() => {
    const element = place.current!;
    const chart = new uPlot(optionsOf(props, element), data, element);
    plot.current = chart;
    const observer = new ResizeObserver(() => {
      // A hidden view has no width; a graph of none would throw its axes away.
      if (element.clientWidth > 0) chart.setSize({ width: element.clientWidth, height: HEIGHT_PX });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [theme]);

  useEffect(() => plot.current?.setData(data), [data]);

  const latest = lines.map((_, i) => data[i + 1]?.at(-1));
  const words = lines.map(({ name }, i) => `${name} ${shown(latest[i], format)}`).join(", ");
  return (
    <figure class="chart" {...(id && { id })}>
      <figcaption>
        <span class="chart-title">{title}</span>
        {lines.map(({ name, color }, i) => (
          <span class="key" key={name}>
            <i style={`background:var(${color})`} aria-hidden="true" />
            {name} <b>{shown(latest[i], format)}</b>
          </span>
        ))}
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={`Graph: ${title}. Now: ${words}.`} />
    </figure>
  );
}

const shown = (value: number | null | undefined, format: (value: number) => string) =>
  value === null || value === undefined ? "–" : format(value);

function optionsOf(
  { lines, format, spanSeconds }: ChartProps,
  element: HTMLElement,
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => resolved(element, `var(${name})`);
  const axis: uPlot.Axis = {
    stroke: color("--soft"),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: color("--grid"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth || 300,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 26, 0, 0],
    scales: {
      x: {
        time: true,
        range: (_, __, max) => [max - spanSeconds, max],
      },
      y: { range: (_, __, max) => [0, Math.max(max * 1.15, 1)] },
    },
    axes: [
      {
        ...axis,
        size: 22,
        space: 70,
        values: (_, splits) => splits.map((at) => new Date(at * 1000).toTimeString().slice(0, 8)),
      },
      {
        ...axis,
        size: 72,
        space: 34,
        incrs: [...Y_STEPS],
        values: (_, splits) => splits.map(format),
      },
    ],
    series: [
      {},
      ...lines.map((line): uPlot.Series => ({
        stroke: color(line.color),
        width: 2,
        fill: resolved(element, `color-mix(in srgb, var(${line.color}) 12%, transparent)`),
        points: { show: false },
      })),
    ],
  };
}

/** A colour as a canvas takes it: it knows no custom properties. */
function resolved(element: HTMLElement, value: string): string {
  const probe = document.createElement("i");
  probe.style.color = value;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
