/// <reference lib="dom" />
import type { ClusterNodeJson } from "../../../admin/shapes.ts";
import type { Standing } from "../../../base/cluster/cluster_nodes.ts";
import { visible } from "../../../base/visible_text.ts";
import { shortName } from "./broadcast_tree.ts";
import { circleOf, cutTo } from "./picture_layout.ts";

interface MapProps {
  /** This node, where it is known, and the others. */
  readonly nodes: readonly Standing<ClusterNodeJson>[];
}

/** The links of this node as a star. The table above it tells the same, and more. */
export function ClusterMap({ nodes }: MapProps) {
  const others = nodes.filter(({ stands }) => stands !== "this node");
  const self = nodes.find(({ stands }) => stands === "this node");
  const { width, height, middle, points } = circleOf(others.length);
  const linked = others.filter(({ stands }) => stands === "connected").length;
  const text = `This node in the middle, linked to ${linked} of ${others.length} others`;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Picture of the cluster">
      <svg id="cluster-map" role="img" aria-label={text} width={width} height={height}>
        {others.map(({ url, stands }, i) => (
          <line
            key={url}
            class="link"
            data-stands={stands}
            x1={middle.x}
            y1={middle.y}
            x2={points[i]!.x}
            y2={points[i]!.y}
          />
        ))}
        {others.map((node, i) => (
          <NodeDot key={node.url} node={node} x={points[i]!.x} y={points[i]!.y} />
        ))}
        {self === undefined
          ? <circle class="dot" data-stands="this node" cx={middle.x} cy={middle.y} r={9} />
          : <NodeDot node={self} x={middle.x} y={middle.y} />}
      </svg>
    </div>
  );
}

interface DotProps {
  readonly node: Standing<ClusterNodeJson>;
  readonly x: number;
  readonly y: number;
}

function NodeDot({ node: { url, region, stands }, x, y }: DotProps) {
  const name = visible(shortName(url) ?? url);
  return (
    <g>
      <title>{visible(`${url}: ${stands}`)}</title>
      <circle class="dot" data-stands={stands} cx={x} cy={y} r={9} />
      <text x={x} y={y + 24}>{cutTo(name, 15)}</text>
      <text class="about" x={x} y={y + 38}>{cutTo(visible(region ?? stands), 15)}</text>
    </g>
  );
}
