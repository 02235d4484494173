import { didYouMean } from "../config/suggest.ts";
import { parseFlags, UsageError } from "./args.ts";
import type { Command, CommandModule } from "./command.ts";
import { print } from "./output.ts";

const usage = `Usage: qumo-relay help [COMMAND]

Explains a command, or lists all of them.

Examples:
  qumo-relay help
  qumo-relay help pub`;

/** The command `help` of a program with these commands. */
export function helpAbout(commands: readonly Command[]): CommandModule {
  return { usage, words: commands.map(({ name }) => name), run: (args) => explain(commands, args) };
}

async function explain(commands: readonly Command[], args: readonly string[]): Promise<number> {
  const { operands: [name] } = parseFlags(args, {}, { operands: ["COMMAND"] });
  if (name === undefined) {
    print(overview(commands));
    return 0;
  }
  const command = commands.find((c) => c.name === name);
  if (!command) {
    const meant = didYouMean(name, commands.map((c) => c.name));
    throw new UsageError(`Unknown command "${name}"${meant}`);
  }
  print((await command.load()).usage);
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
