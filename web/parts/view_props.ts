import type { Announced } from "../connect/relay.ts";
import type { Route } from "../route.ts";

/** What every view gets. */
export interface ViewProps {
  /** Views stay in the page when another one is opened: a broadcast goes on. */
  readonly visible: boolean;
  readonly route: Route;
  readonly go: (to: Partial<Route>) => void;
  readonly announced: Announced;
}
