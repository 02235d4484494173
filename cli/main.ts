import { QumoError, reasonOf, UsageError } from "../base/errors.ts";
import { ConfigError } from "../config/problems.ts";
import { didYouMean } from "../base/suggest.ts";
import { COMMANDS } from "./commands.ts";
import { usageOf } from "./shell/help.ts";
import { print, say } from "./shell/output.ts";
import { maskSpans, telemetryIsOn } from "./serve/telemetry.ts";

/** Exit codes: the command line or the configuration is wrong; anything else went wrong. */
const EXIT_USAGE = 2;
const EXIT_FAILURE = 1;

/**
 * Runs the program.
 *
 * @param args The command line without the program's name. Without a command it is `serve`.
 * @returns The exit code; what went wrong has been said on standard error.
 */
export async function run(args: readonly string[]): Promise<number> {
  if (telemetryIsOn()) maskSpans();
  if ("WorkerGlobalScope" in globalThis) {
    const { inWorker, runWorker } = await import("../server/threads/thread.ts");
    if (inWorker()) {
      await runWorker();
      return 0;
    }
  }
  const { name, rest } = commandOf(args);
  try {
    const command = COMMANDS.find((c) => c.name === name);
    if (!command) throw new UsageError(unknownCommand(name));
    const module = await command.load();
    if (name !== "help" && asksForHelp(rest)) {
      print(usageOf(module, rest.includes("--all")));
      return 0;
    }
    return await module.run(rest);
  } catch (error) {
    return tell(error, name);
  }
}

function commandOf(args: readonly string[]): { name: string; rest: readonly string[] } {
  const [first, ...rest] = args;
  if (first === undefined) return { name: "serve", rest: [] };
  if (/^(--?help|-h)$/.test(first)) return { name: "help", rest };
  if (/^(--?version|-v)$/i.test(first)) return { name: "version", rest };
  return first.startsWith("-") ? { name: "serve", rest: args } : { name: first, rest };
}

const asksForHelp = (args: readonly string[]) => {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? args.length : end).some((arg) => /^(--?help|-h)$/.test(arg));
};

function unknownCommand(name: string): string {
  return `Unknown command "${name}"${didYouMean(name, COMMANDS.map((command) => command.name))}`;
}

/** Says what went wrong, and chooses the exit code. */
function tell(error: unknown, command: string): number {
  if (error instanceof UsageError) {
    const known = COMMANDS.some((c) => c.name === command);
    say(`${error.message}\nSee \`qumo-relay help${known ? ` ${command}` : ""}\`.`);
    return EXIT_USAGE;
  }
  if (error instanceof ConfigError) {
    say(error.message);
    return EXIT_USAGE;
  }
  if (error instanceof QumoError) {
    const settings = error.code === "QUMO_ADDRESS_IN_USE" ? " (server.address, admin.address)" : "";
    say(error.message + settings);
    return EXIT_FAILURE;
  }
  if (error instanceof Deno.errors.AddrInUse) {
    say(
      "Address already in use: another process listens there; stop it, or choose another port with " +
        "server.address and admin.address",
    );
    return EXIT_FAILURE;
  }
  // Nobody foresaw this one, so whoever repairs it needs to know where it came from.
  say(
    `qumo-relay ${command} failed: ${(error instanceof Error && error.stack) || reasonOf(error)}`,
  );
  return EXIT_FAILURE;
}
