import type { ServerView } from "./deps.ts";

/**
 * Which origins' pages may read the public HTTP, load `/embed.js` and show `/embed/BROADCAST` in a frame: the one place that
 * decides it. CORS and `frame-ancestors` both follow it.
 *
 * @returns "*" for every origin, or a list like "https://site.example". The relay's own page needs no entry.
 */
export function pageOrigins({ loaded }: ServerView): "*" | readonly string[] {
  const { corsOrigins } = loaded.config.server;
  return corsOrigins.includes("*") ? "*" : corsOrigins;
}
