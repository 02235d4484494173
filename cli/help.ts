import { didYouMean } from "../config/suggest.ts";
import { parseFlags, UsageError } from "./args.ts";
import { COMMANDS } from "./commands.ts";
import { print } from "./output.ts";

export const usage = `Usage: qumo-relay help [COMMAND]

Explains a command, or lists all of them.`;

export async function run(args: readonly string[]): Promise<number> {
  const { operands: [name] } = parseFlags(args, {}, { operands: ["COMMAND"] });
  if (name === undefined) {
    print(overview());
    return 0;
  }
  const command = COMMANDS.find((c) => c.name === name);
  if (!command) {
    const meant = didYouMean(name, COMMANDS.map((c) => c.name));
    throw new UsageError(`Unknown command "${name}"${meant}`);
  }
  print((await command.load()).usage);
  return 0;
}

function overview(): string {
  const width = Math.max(...COMMANDS.map((command) => command.name.length));
  return [
    "qumo-relay: a Media over QUIC relay",
    "",
    "Usage: qumo-relay [COMMAND] [FLAGS]",
    "       qumo-relay --config FILE",
    "",
    ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "`qumo-relay help COMMAND` explains one of them.",
  ].join("\n");
}
