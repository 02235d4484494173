/**
 * The plugins that come with the program. A line here is all there is to registering one; its module is loaded when an
 * instance of it starts, so that a relay without it does not wait.
 *
 * @module
 */
import type { PluginEntry } from "./plugin.ts";

/** Every built-in plugin, in the order of `qumo-relay plugins list`. */
export const BUILT_IN: readonly PluginEntry[] = [
  // { kind: "ingress", name: "rtsp", load: async () => (await import("./ingress/rtsp/mod.ts")).rtsp },
];
