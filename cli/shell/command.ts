import type { FlagTable } from "./args.ts";

/** What a file of a command exports. */
export interface CommandModule {
  /** The text of `qumo-relay help NAME`. */
  readonly usage: string;
  /** The text of `qumo-relay help NAME --all`, where that says more. */
  readonly fullUsage?: string;
  /** Its flags, for the completion of shells. */
  readonly flags?: FlagTable;
  /** What its first operand may be, where that is one of a few words. */
  readonly words?: readonly string[];
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
