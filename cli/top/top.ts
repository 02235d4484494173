import { ADMIN_ADDRESS } from "../../config/address.ts";
import { sleep } from "../../base/sleep.ts";
import { reasonOf, UsageError } from "../../base/errors.ts";
import { QumoError } from "../../client/mod.ts";
import { ADMIN_TOKEN_HINT, isAdminToken } from "../../config/cross_checks.ts";
import { describeFlags, parseFlags, switchFlag, textFlag } from "../shell/args.ts";
import { durationOf } from "../shell/connect_flags.ts";
import { terminalColumns } from "../shell/columns.ts";
import { print } from "../shell/output.ts";
import { onShutdownSignal } from "../shell/shutdown.ts";
import { TopScreen } from "./top_screen.ts";
import { type Look, ratesBetween, screenOf, sortedSessions } from "./top_view.ts";

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
  once: switchFlag("Print one table, measured over one interval, and end."),
  json: switchFlag("Print one JSON object a line instead of tables."),
} as const;

export { FLAGS as flags };

export const usage =
  `Usage: qumo-relay top [--admin URL] [--token-file FILE] [--interval TIME] [--once] [--json]

Shows the sessions and tracks of a running relay: what comes in (groups, frames and kbit a second),
how many read it, and who is connected. The busiest stand first. q or Ctrl-C ends it.

${describeFlags(FLAGS)}

Examples:
  qumo-relay top
  qumo-relay top --admin http://127.0.0.1:9090 --interval 5s
  qumo-relay top --once --json

Exit codes: 0 ended, 1 the relay cannot be asked, 2 the command line is wrong.`;

class AdminUnreachable extends QumoError {
  readonly code = "QUMO_ADMIN_UNREACHABLE";
}

/** A relay that answers later than this counts as away. In milliseconds. */
const ANSWER_MS = 5000;
/** Most sessions and tracks that are asked for; no screen shows as many. */
const MAX_ITEMS = 20_000;

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

  let before = await look(admin, token);
  const live = !flags.once && !flags.json && Deno.stdout.isTerminal();
  using screen = live ? new TopScreen(() => stop.abort()) : undefined;
  const title = `qumo-relay at ${admin.host}`;
  screen?.show([title, "", "measuring…"]);
  for (;;) {
    await sleep(intervalMs, stop.signal);
    if (stop.signal.aborted) break;
    try {
      const after = await look(admin, token);
      const tracks = ratesBetween(before, after);
      const sessions = sortedSessions(after.sessions);
      before = after;
      if (flags.json) {
        print(JSON.stringify({ time: new Date().toISOString(), tracks, sessions }));
      } else {
        const size = screen?.size ?? { columns: terminalColumns(), rows: Infinity };
        const lines = screenOf(tracks, sessions, { title, ...size, wallMs: Date.now() });
        if (screen) screen.show(lines);
        else print(lines.join("\n"));
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

function adminOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ["http:", "https:"].includes(url.protocol)) return url;
  throw new UsageError(`--admin takes a URL like http://127.0.0.1:9090, not "${text}"`);
}

/** The token to show, from where the relay has it too. @throws {UsageError} */
async function tokenFrom(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return Deno.env.get("QUMO_ADMIN_TOKEN") || undefined;
  let text: string;
  try {
    text = (await Deno.readTextFile(file)).trim();
  } catch (error) {
    throw new UsageError(`Cannot read --token-file ${file}: ${reasonOf(error)}`);
  }
  if (!isAdminToken(text)) throw new UsageError(`--token-file ${file}: ${ADMIN_TOKEN_HINT}`);
  return text;
}

type Lists = Pick<Look, "sessions" | "tracks">;

/** @throws {AdminUnreachable} */
async function look(admin: URL, token: string | undefined): Promise<Look> {
  const [sessions, tracks] = await Promise.all([
    all(admin, "sessions", token),
    all(admin, "tracks", token),
  ]);
  return { atMs: performance.now(), sessions, tracks };
}

/** A list, page by page. */
async function all<N extends keyof Lists>(
  admin: URL,
  what: N,
  token: string | undefined,
): Promise<Lists[N]> {
  const found: Lists[N][number][] = [];
  let after: string | undefined;
  do {
    const page = await ask(admin, what, token, after);
    found.push(...page[what]);
    after = page.next;
  } while (after !== undefined && found.length < MAX_ITEMS);
  return found as unknown as Lists[N];
}

async function ask<N extends keyof Lists>(
  admin: URL,
  what: N,
  token: string | undefined,
  after: string | undefined,
): Promise<Pick<Lists, N> & { readonly next?: string }> {
  const url = new URL(`/api/v1/${what}`, admin);
  if (after !== undefined) url.searchParams.set("after", after);
  let status = 0;
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(ANSWER_MS),
      redirect: "error", // the token goes nowhere else
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    status = answer.status;
    const text = await answer.text();
    if (!answer.ok) throw new Error(`status ${status}`);
    const found = JSON.parse(text);
    if (!Array.isArray(found?.[what])) throw new Error("its answer is not that of a relay");
    return found;
  } catch (error) {
    const message = `Cannot read ${url}: ${reasonOf(error)}\n${remedyFor(status, admin)}`;
    throw new AdminUnreachable(message, { cause: error });
  }
}

function remedyFor(status: number, admin: URL): string {
  if (status === 421) return "Name the machine by its address, as in http://127.0.0.1:9090.";
  if (status === 401) {
    return "It asks for a token: --token-file is the file of its admin.token_file; QUMO_ADMIN_TOKEN holds one as well.";
  }
  if (status !== 0) {
    return "Something else answers there: --admin is the relay's admin.address, not its public port.";
  }
  return `Is a relay running, with its admin interface (admin.address) at ${admin.host}? ` +
    "`qumo-relay serve` starts one.";
}
