import { didYouMean } from "../../base/suggest.ts";
import { UsageError } from "../../base/errors.ts";
import { describeFlags, parseFlags } from "./args.ts";
import type { Command, CommandModule } from "./command.ts";
import { print } from "./output.ts";

const FLAGS = {
  all: { kind: "switch", about: "List every flag of the command, not only the common ones." },
} as const;

const usage = `Usage: qumo-relay help [COMMAND] [--all]

Explains a command, or lists all of them.

${describeFlags(FLAGS)}

Examples:
  qumo-relay help
  qumo-relay help pub
  qumo-relay help serve --all`;

/** What a command says of itself. */
export const usageOf = (module: CommandModule, all: boolean) =>
  all ? module.fullUsage ?? module.usage : module.usage;

/** The command `help` of a program with these commands. */
export function helpAbout(commands: readonly Command[]): CommandModule {
  return {
    usage,
    flags: FLAGS,
    words: commands.map(({ name }) => name),
    run: (args) => explain(commands, args),
  };
}

async function explain(commands: readonly Command[], args: readonly string[]): Promise<number> {
  const { flags, operands: [name] } = parseFlags(args, FLAGS, { operands: ["COMMAND"] });
  if (name === undefined) {
    print(overview(commands));
    return 0;
  }
  const command = commands.find((c) => c.name === name);
  if (!command) {
    const meant = didYouMean(name, commands.map((c) => c.name));
    throw new UsageError(`Unknown command "${name}"${meant}`);
  }
  print(usageOf(await command.load(), flags.all ?? false));
  return 0;
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    "qumo-relay: a Media over QUIC relay",
    "",
    "Usage: qumo-relay [COMMAND] [FLAGS]",
    "       qumo-relay --config FILE",
    "",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "`qumo-relay help COMMAND` explains one of them.",
  ].join("\n");
}
