import { askFetch, serveFetch } from "./lite/fetch/fetch_streams.ts";
import { fetchStreams } from "./lite/fetch/loading.ts";

/** Has at once what sessions would load when they first need it. For relays. */
export function preloadSessions(): void {
  fetchStreams.provide({ askFetch, serveFetch });
}
