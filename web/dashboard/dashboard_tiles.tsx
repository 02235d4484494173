import type { Look } from "./dashboard_data.ts";
import { age, bitRate, bytes } from "../parts/format.ts";

/** The figures at a glance. */
export function DashboardTiles({ look }: { readonly look: Look }) {
  const { figures, answers } = look;
  const rate = (value: number | null) => value === null ? "…" : bitRate(value);
  const tracksRead = look.tracks.filter(({ subscribers }) => subscribers > 0).length;
  const tiles: readonly (readonly [id: string, name: string, value: string, more: string])[] = [
    ["sessions", "Sessions", String(figures.sessions), figures.draining ? "draining" : "open now"],
    ["broadcasts", "Broadcasts", String(answers.broadcasts.length), "announced"],
    ["tracks", "Tracks", String(look.tracks.length), `${tracksRead} being read`],
    ["in", "In", rate(figures.bitsIn), "from publishers"],
    ["out", "Out", rate(figures.bitsOut), `${figures.skipped} groups skipped`],
    [
      "cache",
      "Cache",
      `${figures.groupsKept} groups`,
      `${bytes(figures.poolUsedBytes)} in the pool`,
    ],
    [
      "worker",
      "Worker",
      figures.cpu === null ? "…" : `${Math.round(100 * figures.cpu)} % CPU`,
      `${bytes(figures.memoryBytes)}, ${figures.loopDelayMs.toFixed(1)} ms late on events`,
    ],
    [
      "upstream",
      "Upstream",
      figures.upstream === undefined ? "none" : figures.upstream.connected ? "connected" : "away",
      figures.upstream === undefined
        ? `up for ${age(figures.uptimeMs)}`
        : `${figures.upstream.attempts} dialled`,
    ],
  ];
  return (
    <dl class="tiles">
      {tiles.map(([id, name, value, more]) => (
        <div class="tile" id={`tile-${id}`} key={id}>
          <dt>{name}</dt>
          <dd>
            {value}
            <small>{more}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}
