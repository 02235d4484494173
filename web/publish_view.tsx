/// <reference lib="dom" />
import type { ViewProps } from "./app.tsx";
export function PublishView({ visible }: ViewProps) {
  return <p>{String(visible)}</p>;
}
