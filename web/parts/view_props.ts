import type { Announced } from "../connect/use_announced.ts";
import type { PageRoute } from "../page_route.ts";

/** What every view gets. */
export interface ViewProps {
  /** Views stay in the page when another one is opened: a broadcast goes on. */
  readonly visible: boolean;
  readonly route: PageRoute;
  readonly go: (to: Partial<PageRoute>) => void;
  readonly announced: Announced;
}
