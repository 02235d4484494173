/// <reference lib="dom" />
import type { ClusterNodeJson } from "../../../admin/shapes.ts";
import { nodesInOrder, ofMost, type Standing } from "../../../base/cluster/cluster_nodes.ts";
import { visible } from "../../../base/visible_text.ts";
import type { Look } from "../dashboard_data.ts";
import { age } from "../../parts/format.ts";
import { Name } from "../../parts/name.tsx";
import { Table } from "../../parts/table.tsx";
import { ClusterMap } from "./cluster_map.tsx";

const percent = (value: number) => `${Math.round(100 * value)} %`;
const rounded = (value: number) => value >= 100 ? String(Math.round(value)) : value.toFixed(1);

/** Each node with its region, how its link stands, and what it does. */
function NodeTable({ nodes }: { readonly nodes: readonly Standing<ClusterNodeJson>[] }) {
  const hasOthers = nodes.some(({ stands }) => stands !== "this node");
  return (
    <Table
      id="nodes"
      title="Nodes"
      columns={["Node", "Region", "Link", "#Sessions", "#Mbit/s", "#CPU"]}
      none="The directories name no other node."
      below={hasOthers && <ClusterMap nodes={nodes} />}
    >
      {nodes.map(({ url, region, stands, draining, load, capacity }) => (
        <tr key={url}>
          <th scope="row">
            <Name of={url} />
          </th>
          <td>{visible(region ?? "–")}</td>
          <td>{draining ? `${stands}, draining` : stands}</td>
          <td class="number">{ofMost(load?.sessions, capacity.sessions, String)}</td>
          <td class="number">{ofMost(load?.mbps, capacity.mbps, rounded)}</td>
          <td class="number">{ofMost(load?.cpu, capacity.cpu, percent)}</td>
        </tr>
      ))}
    </Table>
  );
}

/** The nodes of the cluster, the links to them, and a picture of both. Nothing where the relay stands alone. */
export function ClusterTables({ look: { answers } }: { readonly look: Look }) {
  const { cluster, atMs } = answers;
  const nodes = nodesInOrder(cluster.self, cluster.nodes, cluster.links);
  const away = cluster.directories.filter(({ reachable }) => !reachable);
  return (
    <>
      {away.map(({ kind, lastError }) => (
        <p class="card notice" role="status" key={kind}>
          The directory of the cluster ({kind}) cannot be reached{lastError !== null &&
            `: ${visible(lastError)}`}. The nodes that it named last stay.
        </p>
      ))}
      {(cluster.nodes.length > 0 || cluster.directories.length > 0) && <NodeTable nodes={nodes} />}
      {cluster.links.length > 0 && (
        <Table
          id="links"
          title="Links"
          columns={["To", "Role", "State", "#Cost", "#For", "Last error"]}
          none="There are no links."
        >
          {cluster.links.map((link) => (
            <tr key={`${link.url} ${link.dialed}`}>
              <th scope="row">
                <Name of={link.url} />
              </th>
              <td>{link.dialed ? link.role : `${link.role}, dialed us`}</td>
              <td>{link.state}</td>
              <td class="number">{link.cost}</td>
              <td class="number">{age(atMs - Date.parse(link.since))}</td>
              <td class="sentence">{visible(link.lastError ?? "–")}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
