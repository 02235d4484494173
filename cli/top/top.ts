import { ADMIN_ADDRESS } from "../../config/address.ts";
import { sleep } from "../../base/sleep.ts";
import { UsageError } from "../../base/errors.ts";
import { describeFlags, parseFlags, switchFlag, textFlag } from "../shell/args.ts";
import { durationOf } from "../shell/connect_flags.ts";
import { terminalColumns } from "../shell/columns.ts";
import { print } from "../shell/output.ts";
import { onShutdownSignal } from "../shell/shutdown.ts";
import { adminOf, AdminUnreachable, look, lookAtCluster, tokenFrom } from "./asking.ts";
import { clusterScreenOf } from "./cluster_view.ts";
import { TopScreen } from "./top_screen.ts";
import type { ScreenOptions } from "./table.ts";
import { ratesBetween, screenOf, sortedSessions } from "./top_view.ts";

const FLAGS = {
  admin: textFlag(
    "URL",
    `The relay's admin interface (admin.address); http://${ADMIN_ADDRESS} if not given.`,
  ),
  "token-file": textFlag(
    "FILE",
    "File with the token the admin interface asks for (admin.token_file); else QUMO_ADMIN_TOKEN.",
  ),
  interval: textFlag("TIME", "Between two looks; 1s if not given.", { short: "i" }),
  cluster: switchFlag(
    "Show the nodes of its cluster and the links to them, as this relay knows them.",
  ),
  once: switchFlag("Print one table, measured over one interval, and end."),
  json: switchFlag("Print one JSON object a line instead of tables."),
} as const;

export { FLAGS as flags };

export const usage =
  `Usage: qumo-relay top [--admin URL] [--token-file FILE] [--interval TIME] [--once] [--json]
       qumo-relay top --cluster [--admin URL] …

Shows the sessions and tracks of a running relay: what comes in (groups, frames and kbit a second),
how many read it, and who is connected. The busiest stand first. With --cluster it shows the nodes
of the relay's cluster instead, what each of them does, and the links to them. q or Ctrl-C ends it.

${describeFlags(FLAGS)}

Examples:
  qumo-relay top
  qumo-relay top --admin http://127.0.0.1:9090 --interval 5s
  qumo-relay top --once --json
  qumo-relay top --cluster

Exit codes: 0 ended, 1 the relay cannot be asked, 2 the command line is wrong.`;

export async function run(args: readonly string[]): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const admin = adminOf(flags.admin ?? `http://${ADMIN_ADDRESS}`);
  const token = await tokenFrom(flags["token-file"]);
  const intervalMs = durationOf("interval", flags.interval) ?? 1000;
  if (intervalMs < 100) throw new UsageError("--interval is at least 100ms");
  const stop = new AbortController();
  using _signals = onShutdownSignal({
    graceful: () => stop.abort(),
    immediate: (exitCode) => Deno.exit(exitCode),
  });

  const live = !flags.once && !flags.json && Deno.stdout.isTerminal();
  const looks = await (flags.cluster ? clusterLooks : busyLooks)(admin, token);
  using screen = live ? new TopScreen(() => stop.abort()) : undefined;
  const title = `qumo-relay at ${admin.host}`;
  screen?.show([title, "", "measuring…"]);
  // A cluster is shown at once: nothing of it is measured between two looks.
  for (let waitMs = flags.cluster ? 0 : intervalMs;; waitMs = intervalMs) {
    await sleep(waitMs, stop.signal);
    if (stop.signal.aborted) break;
    try {
      const { json, lines } = await looks();
      const wallMs = Date.now();
      if (flags.json) {
        print(JSON.stringify({ time: new Date(wallMs).toISOString(), ...json }));
      } else {
        const size = screen?.size ?? { columns: terminalColumns(), rows: Infinity };
        const shown = lines({ title, ...size, wallMs });
        if (screen) screen.show(shown);
        else print(shown.join("\n"));
      }
    } catch (error) {
      // Whoever watches a relay start again sees it come back.
      if (!(error instanceof AdminUnreachable) || screen === undefined) throw error;
      screen.show([title, "", ...error.message.split("\n"), "Trying again."]);
    }
    if (flags.once) break;
  }
  return 0;
}

/** What one look has found, for programs and for people. */
interface Seen {
  readonly json: Readonly<Record<string, unknown>>;
  readonly lines: (options: ScreenOptions) => string[];
}

/** Looks at the sessions and tracks, each time with the rates since the look before. @throws {AdminUnreachable} */
async function busyLooks(admin: URL, token: string | undefined): Promise<() => Promise<Seen>> {
  let before = await look(admin, token);
  return async () => {
    const after = await look(admin, token);
    const tracks = ratesBetween(before, after);
    const sessions = sortedSessions(after.sessions);
    before = after;
    return {
      json: { tracks, sessions },
      lines: (options) => screenOf(tracks, sessions, options),
    };
  };
}

/** Looks at the cluster. @throws {AdminUnreachable} */
async function clusterLooks(admin: URL, token: string | undefined): Promise<() => Promise<Seen>> {
  await lookAtCluster(admin, token);
  return async () => {
    const cluster = await lookAtCluster(admin, token);
    return { json: { ...cluster }, lines: (options) => clusterScreenOf(cluster, options) };
  };
}
