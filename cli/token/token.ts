import { UsageError } from "../../base/errors.ts";
import { TOKEN_ACTIONS } from "./actions.ts";
import { describeFlags, parseFlags } from "../shell/args.ts";
import { FLAGS } from "./flags.ts";

export { FLAGS as flags };

/** Its actions: the first operand. */
export const words = Object.keys(TOKEN_ACTIONS);

export const usage = `Usage: qumo-relay token generate|sign|verify|inspect [FLAGS]

Makes keys and tokens, and looks at tokens. Key files are those of moq-token and moq-relay.

  generate  Makes a key: prints it, or writes it to --out and its public half to --public.
  sign      Prints a token that lets its holder publish and watch some paths.
  verify    Checks a token (standard input, or --in FILE) with a key and prints what it says.
  inspect   Prints what a token says, checking nothing.

${describeFlags(FLAGS)}

Examples:
  qumo-relay token generate --out keys/relay.jwk
  qumo-relay token sign --key keys/relay.jwk --root rooms/123 --publish alice --subscribe "" --ttl 1h
  qumo-relay token verify --key keys/relay.jwk < token.txt
  qumo-relay token generate --algorithm ES256 --id k1 --out-dir private --public-dir keys

Exit codes: 0 done, 1 the key or token is no good, 2 the command line is wrong.`;

export async function run(args: readonly string[]): Promise<number> {
  const [action = "", ...rest] = args;
  const act = Object.hasOwn(TOKEN_ACTIONS, action) ? TOKEN_ACTIONS[action] : undefined;
  if (act === undefined) {
    throw new UsageError(`token needs to know what to do: ${words.join(", ")}`);
  }
  await act(parseFlags(gathered(rest), FLAGS).flags);
  return 0;
}

/** Flags that can be repeated. Their values are joined, one per line. */
const REPEATED = ["publish", "subscribe"] as const;

function gathered(args: readonly string[]): string[] {
  const out: string[] = [];
  const values = new Map<string, string[]>();
  for (let i = 0; i < args.length; i++) {
    const match = /^--?(\w+)(?:=(.*))?$/s.exec(args[i]!);
    const name = REPEATED.find((known) => known === match?.[1]);
    if (name === undefined) out.push(args[i]!);
    else {
      const value = match![2] ?? args[++i];
      if (value === undefined) throw new UsageError(`--${name} needs a value: --${name} PATH`);
      values.set(name, [...values.get(name) ?? [], value]);
    }
  }
  for (const [name, texts] of values) out.push(`--${name}=${texts.join("\n")}`);
  return out;
}
