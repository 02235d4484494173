/**
 * Loads what asks for single groups and serves them, with the first FETCH in either direction: most pages have none.
 *
 * @module
 */
import { OnDemand } from "../../../relay/fetches/on_demand.ts";

type Code = Pick<typeof import("./fetch_streams.ts"), "askFetch" | "serveFetch">;

export const fetchStreams: OnDemand<Code> = new OnDemand(() => import("./fetch_streams.ts"));
