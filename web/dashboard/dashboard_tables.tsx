/// <reference lib="dom" />
import { visible } from "../../base/visible_text.ts";
import { keyOf, type Look } from "./dashboard_data.ts";
import { age, bitRate, bytes } from "../parts/format.ts";
import { Name } from "../parts/name.tsx";
import { Table } from "../parts/table.tsx";

/** Who is connected. */
export function SessionTable({ look: { answers } }: { readonly look: Look }) {
  const roles = new Map(answers.cluster.links.map(({ session, role }) => [session, role]));
  const columns = ["Peer", "Transport", "Version", "#Reads", "#Publishes", "#For"];
  return (
    <Table id="sessions" title="Sessions" columns={columns} none="Nobody is connected.">
      {answers.sessions.map((session) => (
        <tr key={session.id}>
          <th scope="row">
            <Name of={session.remote} />
            {WHAT[roles.get(session.id) ?? "other"]}
          </th>
          <td>{TRANSPORTS[session.transport] ?? session.transport}</td>
          <td>{session.version}</td>
          <td class="number">{session.subscriptionsServed}</td>
          <td class="number">{session.announcements}</td>
          <td class="number">{age(answers.atMs - Date.parse(session.startedAt))}</td>
        </tr>
      ))}
    </Table>
  );
}

/** What stands behind the address of a session. */
const WHAT = { parent: " (upstream)", peer: " (node)", other: "" } as const;

const TRANSPORTS: Readonly<Record<string, string>> = {
  quic: "QUIC",
  webtransport: "WebTransport",
  websocket: "WebSocket",
  memory: "in the server",
};

/** Instances of plugins and how they stand. */
export function PluginTable({ look: { answers } }: { readonly look: Look }) {
  const columns = ["Plugin", "What", "State", "#In", "#Out", "#Restarts", "#For"];
  return (
    <Table id="plugins" title="Plugins" columns={columns} none="No plugins are configured.">
      {answers.plugins.map((plugin) => (
        <tr key={plugin.name}>
          <th scope="row">
            <Name of={plugin.name} />
          </th>
          <td>{[plugin.kind, plugin.plugin].filter((word) => word !== null).join(" ")}</td>
          <td class="sentence">
            {visible(plugin.reason === null ? plugin.state : `${plugin.state}: ${plugin.reason}`)}
          </td>
          <td class="number">{bytes(plugin.stats.bytesIn)}</td>
          <td class="number">{bytes(plugin.stats.bytesOut)}</td>
          <td class="number">{plugin.restarts}</td>
          <td class="number">{age(answers.atMs - Date.parse(plugin.since))}</td>
        </tr>
      ))}
    </Table>
  );
}

/** What is announced, and by which way it comes. */
export function BroadcastTable({ look: { answers } }: { readonly look: Look }) {
  return (
    <Table
      id="announced"
      title="Broadcasts"
      columns={["Broadcast", "From", "#Hops", "#Tracks"]}
      none="Nothing is announced."
    >
      {answers.broadcasts.flatMap(({ path, publishers }) =>
        publishers.map(({ routes, tracks, lingering }, i) => (
          <tr key={`${path} ${i}`}>
            <th scope="row">
              <Name of={path} />
            </th>
            <td>
              <Name of={routes[0]?.source ?? (lingering ? "lost, waited for" : "nobody")} />
            </td>
            <td class="number">{routes[0]?.hops.length ?? "–"}</td>
            <td class="number">{tracks}</td>
          </tr>
        ))
      )}
    </Table>
  );
}

/** What is kept and sent on. */
export function TrackTable({ look: { tracks } }: { readonly look: Look }) {
  const columns = [
    ...["Broadcast", "Track", "#Bitrate", "#Readers", "#Newest group", "#Groups kept", "#Received"],
  ];
  return (
    <Table id="tracks" title="Tracks" columns={columns} none="No track is being read.">
      {tracks.map((track) => (
        <tr key={keyOf(track)}>
          <th scope="row">
            <Name of={track.broadcast} />
          </th>
          <td>
            <Name of={track.track} />
          </td>
          <td class="number">{track.bitRate === undefined ? "…" : bitRate(track.bitRate)}</td>
          <td class="number">{track.subscribers}</td>
          <td class="number">{track.newestGroup ?? "–"}</td>
          <td class="number">{track.groupsKept}</td>
          <td class="number">{bytes(track.bytesIn)}</td>
        </tr>
      ))}
    </Table>
  );
}
