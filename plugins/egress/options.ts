/** Options and rules that more than one egress plugin has. */
import { z } from "zod";
import { integer, notes } from "../../config/fields.ts";
import { isPlainPattern } from "../../wire/path_pattern.ts";

/** Which broadcasts are handed on; at least one pattern. */
export function broadcastPatterns(about: string) {
  return z.array(z.string().refine(isPlainPattern)).min(1).prefault(["**"]).describe(about)
    .register(notes, {
      expects: "a list of paths; `*` is any part, `**` at the end any parts",
      example: '["live/*"]',
    });
}

/** How many broadcasts one instance works on: a stranger's announcements cost so much and no more. */
export function maxBroadcasts() {
  return integer(
    { min: 1, max: 1000, byDefault: 64 },
    "Broadcasts that are worked on at one time; those beyond wait, which the status tells.",
  );
}
