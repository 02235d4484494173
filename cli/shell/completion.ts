import { didYouMean } from "../../base/suggest.ts";
import { UsageError } from "../../base/errors.ts";
import { parseFlags } from "./args.ts";
import type { Command, CommandModule } from "./command.ts";
import { bashScript, type CompletedCommand, fishScript, zshScript } from "./completion_scripts.ts";
import { print } from "./output.ts";

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

const usage = `Usage: qumo-relay completion bash|zsh|fish

Prints a script that completes commands, flags and some of their values in your shell.

Examples:
  qumo-relay completion bash > ~/.local/share/bash-completion/completions/qumo-relay
  qumo-relay completion zsh > "\${fpath[1]}/_qumo-relay"
  qumo-relay completion fish > ~/.config/fish/completions/qumo-relay.fish
  source <(qumo-relay completion bash)    (for this shell alone)`;

/** The command `completion` of a program with these commands. */
export function completionOf(commands: readonly Command[]): CommandModule {
  return { usage, words: Object.keys(SHELLS), run: (args) => complete(commands, args) };
}

async function complete(commands: readonly Command[], args: readonly string[]): Promise<number> {
  const { operands: [shell] } = parseFlags(args, {}, { operands: ["SHELL"] });
  if (shell === undefined || !Object.hasOwn(SHELLS, shell)) {
    const known = Object.keys(SHELLS);
    throw new UsageError(
      shell === undefined
        ? `Say for which shell: ${known.join(", ")}`
        : `No completion for "${shell}"${didYouMean(shell, known)}; known are ${known.join(", ")}`,
    );
  }
  const completed = await Promise.all(commands.map(async (command): Promise<CompletedCommand> => {
    const { flags = {}, words = [] } = await command.load();
    return { name: command.name, summary: command.summary, flags, words };
  }));
  print(SHELLS[shell as keyof typeof SHELLS](completed));
  return 0;
}
