/** What a file of a command exports. */
export interface CommandModule {
  /** The text of `qumo-relay help NAME`. */
  readonly usage: string;
  /**
   * Does the work.
   *
   * @param args What follows the command's name.
   * @returns The exit code.
   * @throws {QumoError} Anything that has to be told to the user; UsageError and ConfigError end the
   *   program with code 2, the rest with 1.
   */
  run(args: readonly string[]): Promise<number>;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Loads the code only when it is needed, so that `version` does not wait for a server. */
  readonly load: () => Promise<CommandModule>;
}

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  { name: "serve", summary: "Run the relay (the default)", load: () => import("./serve.ts") },
  { name: "check", summary: "Check a configuration file", load: () => import("./check.ts") },
  {
    name: "config",
    summary: "Print an example configuration, or the one in effect",
    load: () => import("./config.ts"),
  },
  { name: "cert", summary: "Make a self-signed certificate", load: () => import("./cert.ts") },
  // { name: "pub", summary: "Publish a broadcast from fMP4", load: () => import("./pub.ts") },
  // { name: "sub", summary: "List and receive broadcasts", load: () => import("./sub.ts") },
  { name: "version", summary: "Print the version", load: () => import("./version.ts") },
  { name: "help", summary: "Explain a command", load: () => import("./help.ts") },
];
