/** Options that more than one egress plugin has. */
import { z } from "zod";
import { isPattern } from "../../base/path_pattern.ts";
import { notes } from "../../config/fields.ts";

/** Which broadcasts are handed on; at least one pattern. */
export function broadcastPatterns(about: string) {
  return z.array(z.string().refine(isPattern)).min(1).prefault(["**"]).describe(about)
    .register(notes, {
      expects: "a list of paths; `*` is any part, `**` at the end any parts",
      example: '["live/*"]',
    });
}
