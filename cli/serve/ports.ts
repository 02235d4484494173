import { QumoError, reasonOf, UsageError } from "../../base/errors.ts";
import { describeFlags, parseFlags, switchFlag } from "../shell/args.ts";
import { allFlags, commonFlags, CONFIG_FLAGS, configOf } from "../config/config_flags.ts";
import { portsTable, removal } from "./nft_table.ts";
import { print } from "../shell/output.ts";

const OWN_FLAGS = {
  apply: switchFlag("Load the table with nft, in place of an earlier one."),
  remove: switchFlag("Take the table away again with nft."),
} as const;

export const flags = { ...CONFIG_FLAGS, ...OWN_FLAGS };

const usageWith = (flags: string) =>
  `Usage: qumo-relay ports [--config FILE] [--apply|--remove]

Prints the nftables table that spreads the UDP port of server.address over the ports of
server.workers: every client connects to the one public port and stays with one worker. Packets that
this machine sends to itself do not pass it and reach the first worker.

Examples:
  qumo-relay ports --server.workers 4
  sudo qumo-relay ports --config /etc/qumo-relay/config.yaml --apply
  sudo qumo-relay ports --config /etc/qumo-relay/config.yaml --remove

${describeFlags(OWN_FLAGS)}
${flags}`;

export const usage = usageWith(commonFlags("ports"));
export const fullUsage = usageWith(allFlags());

/** nft has failed. */
class NftFailed extends QumoError {
  readonly code = "QUMO_NFT_FAILED";
}

export async function run(args: readonly string[]): Promise<number> {
  const parsed = parseFlags(args, flags);
  const apply = parsed.flags["apply"] === true;
  const remove = parsed.flags["remove"] === true;
  if (apply && remove) throw new UsageError("--apply and --remove contradict each other");
  const { address, workers } = (await configOf(parsed)).config.server;
  if (address.port === 0) {
    throw new UsageError("server.address has port 0: name the public port, such as [::]:4433");
  }
  if (remove) {
    await nft(removal(address.port));
    return 0;
  }
  if (workers === 1) {
    throw new UsageError("server.workers is 1: there is nothing to spread; set it to 2 or more");
  }
  const table = portsTable(address, workers);
  if (apply) await nft(table);
  else print(table.trimEnd());
  return 0;
}

async function nft(commands: string): Promise<void> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("nft", {
      args: ["-f", "-"],
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    const hint = cause instanceof Deno.errors.NotFound
      ? "it is not on PATH: apt-get install nftables"
      : reasonOf(cause);
    throw new NftFailed(`Cannot run nft: ${hint}`, { cause });
  }
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(commands)).catch(() => {}); // it says itself why it ended
  await writer.close().catch(() => {});
  const { success, stderr } = await child.output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim();
  const hint = /permitted/i.test(said) ? "; run this as root" : "";
  throw new NftFailed(`nft refused the table: ${said}${hint}`);
}
