import { withToken } from "../client/reconnect.ts";
import { lightTarget } from "../load/light_session.ts";
import { QumoError, reasonOf, UsageError } from "../base/errors.ts";
import { describeFlags, parseFlags, switchFlag, textFlag } from "./shell/args.ts";
import { WORKER_ARG } from "../load/bench/child.ts";
import { runLoad } from "../load/bench/coordinate.ts";
import { drawPlan } from "../load/bench/plan.ts";
import { randomOf } from "../load/figures/range.ts";
import { describeResult } from "../load/figures/report.ts";
import { loadTexts, SCENARIOS, specOf } from "../load/bench/scenarios.ts";
import { runWorker } from "../load/bench/worker.ts";
import {
  CONNECT_FLAGS,
  connectOptionsOf,
  countOf,
  URL_HELP,
  urlOf,
} from "./shell/connect_flags.ts";
import { print } from "./shell/output.ts";
import { remedyFor } from "./shell/remedy.ts";
import { onShutdownSignal } from "./shell/shutdown.ts";
import { StatusLine } from "./shell/status_line.ts";

const FLAGS = {
  scenario: textFlag(
    "NAME",
    "A load by name, or a file of lines like `frame-size: 1200`; other flags overrule it.",
    { short: "s", choices: Object.keys(SCENARIOS) },
  ),
  publishers: textFlag("N", "Sessions that publish; 1 if not given."),
  tracks: textFlag("N", "Tracks of each publisher; 1 if not given."),
  viewers: textFlag("N", "Sessions that watch; 100 if not given."),
  watch: textFlag("WHAT", "Whether a viewer watches one publisher, the default, or all.", {
    choices: ["one", "all"],
  }),
  fps: textFlag("N", "Frames a second and track; 30 if not given."),
  "frame-size": textFlag("SIZE", "Bytes of a frame; 4000 if not given."),
  "group-size": textFlag("N", "Frames of a group; 30 if not given."),
  duration: textFlag("TIME", "How long to measure; 10s.", { short: "d" }),
  ramp: textFlag("TIME", "Let the viewers come over this time; 2s."),
  stay: textFlag("TIME", "Viewers leave after this time and come back."),
  slow: textFlag("PERCENT", "So many viewers read only now and then."),
  transport: textFlag("NAME", "Overrules the scheme of the URL, at the same host and port.", {
    choices: ["quic", "webtransport"],
  }),
  ...CONNECT_FLAGS,
  prefix: textFlag("PATH", "Before all broadcasts; made up if not given."),
  workers: textFlag(
    "N",
    "Processes to spread viewers over; as many as the machine has cores, less one.",
  ),
  ports: textFlag(
    "N",
    "Viewers take turns on so many ports, the URL's and those behind it: a relay's workers.",
  ),
  "viewers-url": textFlag(
    "URL",
    "Viewers connect there: to another node of a cluster, or at the other end of a chain of relays.",
  ),
  pid: textFlag("PID", "The relay's process here: tells its CPU and memory."),
  seed: textFlag("N", "Draw the same numbers from ranges again."),
  json: switchFlag("Print the result as one JSON object."),
} as const;

export { FLAGS as flags };

const LOAD_FLAGS = [
  ...["publishers", "tracks", "viewers", "watch", "fps", "frame-size", "group-size"] as const,
  ...["duration", "ramp", "stay", "slow"] as const,
];
/** A worker can do more, but others have work on this machine too. */
const MAX_WORKERS = 8;

export const usage = `Usage: qumo-relay bench URL [--scenario NAME] [--pid PID] [--json]

Puts a load on a relay, any one, and measures from outside: how fast viewers connect and see
a first frame, what they get, how late, and which groups are lost, repeated or cut off. Every frame
carries the time it was written at, so publishers and viewers have to be on one machine, and are.

Numbers, sizes and times can be ranges, MIN:MAX: each publisher, and each stay, draws its own.

${URL_HELP}

Scenarios:
${Object.entries(SCENARIOS).map(([name, { about }]) => `  ${name.padEnd(14)}${about}`).join("\n")}

${describeFlags(FLAGS)}

Examples:
  qumo-relay bench http://127.0.0.1:4433/
  qumo-relay bench http://127.0.0.1:4433/ --scenario audio --transport quic --pid 1234
  qumo-relay bench moqt://127.0.0.1:4433/ --hash HEX --viewers 500 --fps 30 --frame-size 800:1600 --json

Exit codes: 0 measured, 1 no viewer or publisher could connect, 2 the command line is wrong.`;

/** Nobody came, so there is nothing to tell. */
class NothingMeasured extends QumoError {
  readonly code = "QUMO_BENCH_NOTHING";
}

export async function run(args: readonly string[]): Promise<number> {
  if (args[0] === WORKER_ARG) return await runWorker();
  const { flags, operands: [urlText] } = parseFlags(args, FLAGS, { operands: ["URL"] });
  const url = urlOf(urlText, "bench");
  const viewersUrl = flags["viewers-url"] && urlOf(flags["viewers-url"], "bench");
  const given = Object.fromEntries(
    LOAD_FLAGS.flatMap((key) => flags[key] === undefined ? [] : [[key, flags[key]]]),
  );
  const spec = specOf(await loadTexts(given, flags.scenario));
  const { transport } = flags;
  if (transport !== undefined && transport !== "quic" && transport !== "webtransport") {
    throw new UsageError(`--transport takes quic or webtransport, not "${transport}"`);
  }
  const pid = countOf("pid", flags.pid);
  const seed = countOf("seed", flags.seed) ?? Math.floor(Math.random() * 2 ** 32);
  const cores = navigator.hardwareConcurrency;
  const workers = countOf("workers", flags.workers) ??
    Math.min(MAX_WORKERS, Math.max(1, cores - 1));
  if (workers < 1) throw new UsageError("--workers has to be 1 at least");
  const ports = countOf("ports", flags.ports) ?? 1;
  if (ports < 1) throw new UsageError("--ports has to be 1 at least");
  const { hash, caCerts, versions } = await connectOptionsOf(flags);

  const stopped = new AbortController();
  using _signals = onShutdownSignal({
    graceful: () => stopped.abort(),
    immediate: (exitCode) => Deno.exit(exitCode),
  });
  const prefix = flags.prefix ?? `bench-${crypto.randomUUID().slice(0, 8)}`;
  const plan = drawPlan(spec, prefix, randomOf(seed));
  using status = new StatusLine();
  const progress = progressLine(status, plan.viewers.length);
  try {
    const targetAt = (to: URL | string) =>
      lightTarget({
        url: withToken(new URL(to), flags.token).href,
        ...(typeof hash === "string" ? { hash } : {}),
        ...(caCerts === undefined ? {} : { caCerts }),
        ...(versions === undefined ? {} : { versions }),
      }, transport);
    const target = await targetAt(url);
    const viewersTarget = viewersUrl === undefined ? target : await targetAt(viewersUrl);
    const result = await runLoad({
      ...{ target, viewersTarget, ports, spec, plan, workers },
      ...{ onProgress: progress, signal: stopped.signal },
      ...(pid === undefined ? {} : { pid }),
    });
    status.end();
    print(flags.json ? JSON.stringify(result) : describeResult(result));
    if (result.viewers.sessions > 0 || plan.viewers.length === 0) return 0;
    throw new NothingMeasured("No viewer could connect");
  } catch (error) {
    if (!(error instanceof QumoError) || error instanceof UsageError) throw error;
    const remedy = remedyFor(reasonOf(error), url);
    if (remedy === "") throw error;
    throw new NothingMeasured(`${error.message}\n${remedy}`, { cause: error });
  }
}

/** What is told while it runs. */
function progressLine(status: StatusLine, planned: number) {
  let now = { phase: "starting", arrived: 0, up: 0, failed: 0, frames: 0, bytes: 0 };
  status.show(() => {
    let [lastFrames, lastBytes] = [0, 0];
    return (seconds, sinceMs) => {
      const { phase, up, failed, frames, bytes } = now;
      const fps = Math.round((frames - lastFrames) * 1000 / sinceMs);
      const mbps = ((bytes - lastBytes) / 1024 / 1.024 / sinceMs).toFixed(1);
      [lastFrames, lastBytes] = [frames, bytes];
      const wrong = failed === 0 ? "" : `, ${failed} failed`;
      return `${
        seconds.toFixed(0)
      } s, ${phase}: ${up} of ${planned} viewers${wrong}, ${fps} frames/s, ${mbps} MB/s`;
    };
  });
  return (phase: string, figures: Omit<typeof now, "phase">) => now = { phase, ...figures };
}
