import type { Command } from "./shell/command.ts";

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  { name: "serve", summary: "Run the relay (the default)", load: () => import("./serve/serve.ts") },
  { name: "check", summary: "Check a configuration file", load: () => import("./config/check.ts") },
  {
    name: "config",
    summary: "Print an example configuration, or the one in effect",
    load: () => import("./config/config.ts"),
  },
  {
    name: "ports",
    summary: "Print or load the rule that spreads the public port over the workers",
    load: () => import("./serve/ports.ts"),
  },
  {
    name: "plugins",
    summary: "List the plugins, and explain the options of one",
    load: () => import("./plugins.ts"),
  },
  {
    name: "cert",
    summary: "Make a self-signed certificate",
    load: () => import("./config/cert.ts"),
  },
  {
    name: "token",
    summary: "Make and check the tokens that let peers in",
    load: () => import("./token/token.ts"),
  },
  { name: "pub", summary: "Publish a broadcast from fMP4", load: () => import("./media/pub.ts") },
  {
    name: "demo",
    summary: "Publish a test picture, to have something to watch",
    load: () => import("./media/demo.ts"),
  },
  { name: "sub", summary: "List and receive broadcasts", load: () => import("./media/sub.ts") },
  {
    name: "interop",
    summary: "Try an implementation of moq-lite, step by step",
    load: () => import("./interop/interop.ts"),
  },
  {
    name: "top",
    summary: "Watch the sessions and tracks of a running relay",
    load: () => import("./top/top.ts"),
  },
  {
    name: "bench",
    summary: "Put a load on a relay and measure it",
    load: () => import("./bench.ts"),
  },
  {
    name: "health",
    summary: "Ask a running relay how it fares",
    load: () => import("./serve/health.ts"),
  },
  { name: "version", summary: "Print the version", load: () => import("./version.ts") },
  {
    name: "completion",
    summary: "Print a script that completes commands and flags in a shell",
    load: async () => (await import("./shell/completion.ts")).completionOf(COMMANDS),
  },
  {
    name: "help",
    summary: "Explain a command",
    load: async () => (await import("./shell/help.ts")).helpAbout(COMMANDS),
  },
];
