/** What a plugin does with media: takes it in, changes it, or hands it on. */
export const PLUGIN_KINDS = ["ingress", "transform", "egress"] as const;
export type PluginKind = (typeof PLUGIN_KINDS)[number];

/** How an instance of a plugin stands. */
export const PLUGIN_STATES = ["starting", "running", "failed", "stopped"] as const;
export type PluginState = (typeof PLUGIN_STATES)[number];
