/**
 * Loads what fetches groups with the first fetch: most pages never ask for one. A relay has it from the start.
 *
 * @module
 */
import { OnDemand } from "./on_demand.ts";

export type { Fetches } from "./fetches.ts";

export const fetching: OnDemand<Pick<typeof import("./fetches.ts"), "fetchesOf">> = new OnDemand(
  () => import("./fetches.ts"),
);
