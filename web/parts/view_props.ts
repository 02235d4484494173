import type { Announced } from "../connect/use_announced.ts";
import type { PageRoute } from "../page_route.ts";

/** What every view gets. */
export interface ViewProps {
  /** A view stays in the page when another one opens: a broadcast goes on. */
  readonly visible: boolean;
  readonly route: PageRoute;
  readonly go: (to: Partial<PageRoute>) => void;
  readonly announced: Announced;
}
