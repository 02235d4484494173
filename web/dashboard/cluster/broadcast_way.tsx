/// <reference lib="dom" />
import { useState } from "preact/hooks";
import { visible } from "../../../base/visible_text.ts";
import type { Look } from "../dashboard_data.ts";
import { Name } from "../../parts/name.tsx";
import { Table } from "../../parts/table.tsx";
import { type BroadcastTree, treeOf } from "./broadcast_tree.ts";
import { BOX_HEIGHT, BOX_WIDTH, cutTo, type Placed, rowsOf } from "./picture_layout.ts";

/** The way of one broadcast, which the user picks. Nothing where no broadcast came over a link or goes out over one. */
export function BroadcastWay({ look: { answers } }: { readonly look: Look }) {
  const [picked, setPicked] = useState<string>();
  const paths = answers.broadcasts.map(({ path }) => path);
  const path = picked !== undefined && paths.includes(picked) ? picked : paths[0];
  const tree = path === undefined ? undefined : treeOf(path, answers);
  if (path === undefined || tree === undefined || answers.cluster.links.length === 0) return null;
  return (
    <div class="column" id="way">
      <div class="field">
        <label for="way-of">The way of a broadcast</label>
        <select
          id="way-of"
          value={path}
          onChange={(event) => setPicked(event.currentTarget.value)}
        >
          {paths.map((each) => <option key={each} value={each}>{visible(each)}</option>)}
        </select>
      </div>
      <Table
        id="routes"
        title="Routes"
        columns={["From", "Through", "#Cost", "Used"]}
        none="No route leads to it now."
        below={
          <>
            <p class="soft">
              This is what this node knows: its own routes, and who reads from it. Ask the
              dashboards of other nodes what they read from each other.
            </p>
            <TreePicture tree={tree} of={path} />
          </>
        }
      >
        {tree.routes.map(({ from, through, cost, used }, i) => (
          <tr key={`${from} ${i}`}>
            <th scope="row">
              <Name of={from} />
            </th>
            <td class="sentence">{visible(through.join(" → "))}</td>
            <td class="number">{cost ?? "–"}</td>
            <td>{used ? "yes" : "no"}</td>
          </tr>
        ))}
      </Table>
    </div>
  );
}

/** The publisher above, then the relays, this node, and who reads from it. */
function TreePicture({ tree, of }: { readonly tree: BroadcastTree; readonly of: string }) {
  const { width, height, placed, lines } = rowsOf(tree);
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Picture of the way">
      <svg
        id="way-picture"
        role="img"
        aria-label={visible(`The way of ${of} from its publisher to this node and on`)}
        width={width + 2}
        height={height + 2}
        viewBox={`-1 -1 ${width + 2} ${height + 2}`}
      >
        {lines.map(({ line: { from, to, used }, path }) => (
          <path
            key={`${from} ${to}`}
            class="link"
            data-stands={used ? "connected" : "no link"}
            d={path}
          />
        ))}
        {placed.map((each) => <TreeBoxPicture key={each.box.id} {...each} />)}
      </svg>
    </div>
  );
}

function TreeBoxPicture({ box: { label, about, kind }, x, y }: Placed) {
  const middle = x + BOX_WIDTH / 2;
  return (
    <g class="boxed">
      <title>{visible(`${label} ${about}`)}</title>
      <rect class="box" data-kind={kind} x={x} y={y} width={BOX_WIDTH} height={BOX_HEIGHT} rx={8} />
      <text x={middle} y={y + 18}>{cutTo(visible(label), 18)}</text>
      <text class="about" x={middle} y={y + 33}>{cutTo(visible(about), 20)}</text>
    </g>
  );
}
