import type { Command } from "./shell/command.ts";

type Loader = readonly [summary: string, load: Command["load"]];

/** Each by its name, in the order of the help. */
const LOADERS: Readonly<Record<string, Loader>> = {
  serve: ["Run the relay (the default)", () => import("./serve/serve.ts")],
  check: ["Check a configuration file", () => import("./config/check.ts")],
  config: [
    "Print an example configuration, or the one in effect",
    () => import("./config/config.ts"),
  ],
  ports: [
    "Print or load the rule that spreads the public port over the workers",
    () => import("./serve/ports.ts"),
  ],
  plugins: ["List the plugins, and explain the options of one", () => import("./plugins.ts")],
  cert: ["Make a self-signed certificate", () => import("./config/cert.ts")],
  token: ["Make and check the tokens that let peers in", () => import("./token/token.ts")],
  pub: ["Publish a broadcast from fMP4", () => import("./media/pub.ts")],
  demo: ["Publish a test picture, to have something to watch", () => import("./media/demo.ts")],
  sub: ["List and receive broadcasts", () => import("./media/sub.ts")],
  interop: [
    "Try an implementation of MoQ, step by step",
    () => import("./interop/interop.ts"),
  ],
  top: ["Watch the sessions and tracks of a running relay", () => import("./top/top.ts")],
  bench: ["Put a load on a relay and measure it", () => import("./bench.ts")],
  health: ["Ask a running relay how it fares", () => import("./serve/health.ts")],
  version: ["Print the version", () => import("./version.ts")],
  completion: [
    "Print a script that completes commands and flags in a shell",
    async () => (await import("./shell/completion.ts")).completionOf(COMMANDS),
  ],
  help: ["Explain a command", async () => (await import("./shell/help.ts")).helpAbout(COMMANDS)],
};

export const COMMANDS: readonly Command[] = Object.entries(LOADERS)
  .map(([name, [summary, load]]) => ({ name, summary, load }));
