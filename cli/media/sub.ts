import { sleep } from "../../base/sleep.ts";
import { visible } from "../../base/visible_text.ts";
import { normalizePath } from "../../wire/path.ts";
import { cut, terminalColumns } from "../shell/columns.ts";
import { type Client, QumoError } from "../../client/mod.ts";
import { UsageError } from "../../base/errors.ts";
import { describeFlags, parseFlags, switchFlag, textFlag } from "../shell/args.ts";
import {
  ALSO_FLAG,
  CONNECT_FLAGS,
  connectOptionsOf,
  countOf,
  dialRelay,
  durationOf,
  URL_HELP,
  urlsOf,
} from "../shell/connect_flags.ts";
import { openFrameSaver } from "./frame_saver.ts";
import { print } from "../shell/output.ts";
import { Receiver } from "./receiver.ts";
import { onShutdownSignal } from "../shell/shutdown.ts";
import { StatusLine } from "../shell/status_line.ts";

const FLAGS = {
  broadcast: textFlag("NAME", "Receive this broadcast.", { short: "b" }),
  track: textFlag("NAME", "Only this track; all tracks of its catalog if not given.", {
    short: "t",
  }),
  prefix: textFlag("PATH", "List only what is announced below this path."),
  ...CONNECT_FLAGS,
  ...ALSO_FLAG,
  count: textFlag("N", "End after N groups, or N lines of a list.", { short: "n" }),
  duration: textFlag("TIME", "End after so long: 5s, 2m.", { short: "d" }),
  out: textFlag(
    "DIR",
    "Save every frame as DIR/TRACK/GROUP-FRAME; - writes the frames of one track to standard output.",
    { short: "o" },
  ),
  raw: switchFlag("Save one file a track, frame behind frame, instead: DIR/TRACK."),
  json: switchFlag("Print figures, or a list, as one JSON object a line."),
} as const;

export { FLAGS as flags };

export const usage = `Usage: qumo-relay sub URL [--prefix PATH]
       qumo-relay sub URL --broadcast NAME [--track NAME] [--out DIR]

Without --broadcast: lists what is announced, and every change. With it: receives, and shows groups,
frames, bytes a second, the newest group and how many groups were lost.

${URL_HELP}

${describeFlags(FLAGS)}

Examples:
  qumo-relay sub http://127.0.0.1:4433/
  qumo-relay sub http://127.0.0.1:4433/ --broadcast demo
  qumo-relay sub http://127.0.0.1:4433/ --broadcast demo --track video0 --raw --out frames

With --also it outlives its relay: it goes on at another node, behind the last group that came.

Exit codes: 0 the track ended, or --count or --duration was reached; 1 no connection, no such track,
or lost on the way; 2 the command line is wrong.`;

export async function run(args: readonly string[]): Promise<number> {
  const { flags, operands: [urlText] } = parseFlags(args, FLAGS, { operands: ["URL"] });
  const urls = urlsOf(urlText, flags.also, "sub");
  const count = countOf("count", flags.count) ?? Infinity;
  const durationMs = durationOf("duration", flags.duration);
  const { broadcast, track, out } = flags;
  if (broadcast === undefined && (track ?? out) !== undefined) {
    throw new UsageError("--track and --out need --broadcast NAME");
  }
  if (out === "-" && track === undefined) throw new UsageError("--out - needs --track NAME");
  const connect = await connectOptionsOf(flags);

  const stopped = Promise.withResolvers<void>();
  using _signals = onShutdownSignal({
    graceful: () => stopped.resolve(),
    immediate: (exitCode) => Deno.exit(exitCode),
  });
  await using client = await dialRelay(urls, { ...connect, reconnect: urls.length > 1 });
  if (durationMs !== undefined) setTimeout(stopped.resolve, durationMs);
  // The end of the session takes back every announcement, which says nothing of the broadcasts.
  let over = false;
  stopped.promise.then(() => over = true);
  const lost = client.closed.then(({ reason }) => {
    over = true;
    throw new RelayGone(`The session with the relay is over${reason === "" ? "" : `: ${reason}`}`);
  });
  const json = flags.json ?? false;
  const work = broadcast === undefined
    ? list(client, flags.prefix ?? "", { count, json, over: () => over })
    : receive(client, broadcast, { ...flags, count, json, stopped: stopped.promise });
  await Promise.race([work, lost, broadcast === undefined ? stopped.promise : work]);
  return 0;
}

class RelayGone extends QumoError {
  readonly code = "QUMO_RELAY_LOST";
}

class NotAnnounced extends QumoError {
  readonly code = "QUMO_NOT_FOUND";
}

/** Waits until a broadcast is there. */
async function announced(client: Client, broadcast: string, status: StatusLine): Promise<true> {
  const hint = setTimeout(() => status.tell(`Waiting for ${visible(broadcast)}`), 1000);
  try {
    for await (const { path, active } of client.announced(broadcast)) {
      if (active && path === normalizePath(broadcast)) break;
    }
    return true;
  } finally {
    clearTimeout(hint);
  }
}

/** Prints announcements as they come: "+ path" and "- path", until `over`. */
async function list(
  client: Client,
  prefix: string,
  { count, json, over }: { count: number; json: boolean; over: () => boolean },
): Promise<void> {
  let lines = 0;
  // What goes into a file or a pipe is whole.
  const columns = Deno.stdout.isTerminal() ? terminalColumns() : Infinity;
  for await (const { path, active, hops } of client.announced(prefix)) {
    // That the session is over is told right after what it took back.
    if (!active) await sleep(0);
    if (over()) return;
    print(
      json
        ? JSON.stringify({ path, active, hops: hops.map(String) })
        : cut(`${active ? "+" : "-"} ${visible(path)}`, columns),
    );
    if (++lines >= count) return;
  }
}

interface ReceiveFlags {
  readonly track?: string;
  readonly out?: string;
  readonly raw?: true;
  readonly count: number;
  readonly json: boolean;
  readonly stopped: Promise<void>;
}

async function receive(client: Client, broadcast: string, flags: ReceiveFlags): Promise<void> {
  const { track, out, count, json, stopped } = flags;
  await using sink = openFrameSaver(out, flags.raw ?? false);
  using receiver = new Receiver(client, { broadcast, maxGroups: count, sink });
  using status = new StatusLine();
  const figures = () => receiver.figures();
  let timer: ReturnType<typeof setInterval> | undefined;
  const startedMs = performance.now();
  const line = () =>
    JSON.stringify({ ms: Math.round(performance.now() - startedMs), ...figures() });
  // With --out - the frames have standard output to themselves.
  const jsonTo = json && out !== "-" ? () => print(line()) : undefined;
  if (jsonTo) timer = setInterval(jsonTo, 1000);
  else status.show(() => liveFigures(receiver));
  try {
    const here = await Promise.race([announced(client, broadcast, status), stopped]);
    if (here === undefined) {
      throw new NotAnnounced(
        `Cannot receive ${visible(broadcast)}: nobody published it in time\n` +
          "Check the name: `qumo-relay sub URL` lists what there is.",
      );
    }
    const received = track === undefined ? receiver.catalogTracks() : receiver.track(track);
    await Promise.race([received, stopped]);
  } finally {
    clearInterval(timer);
    jsonTo?.();
    status.end();
  }
  if (jsonTo === undefined && out !== "-") print(summary(receiver));
}

function liveFigures(receiver: Receiver) {
  let lastBytes = 0;
  return (_seconds: number, sinceMs: number) => {
    const { groups, frames, bytes, newest, lost } = receiver.figures();
    const kbits = Math.round((bytes - lastBytes) * 8 / sinceMs);
    lastBytes = bytes;
    return `${groups} groups  ${frames} frames  ${kbits} kbit/s  newest ${
      newest ?? "-"
    }  ${lost} lost`;
  };
}

/** What came of each track, at the end. */
function summary(receiver: Receiver): string {
  const lines = [...receiver.perTrack()].map(([name, { groups, frames, bytes, newest, lost }]) =>
    `${visible(name)}: ${groups} groups, ${frames} frames, ${bytes} bytes, ` +
    `newest ${newest ?? "-"}, ${lost} lost`
  );
  const { leftOut } = receiver;
  if (leftOut > 0) lines.push(`${leftOut} or more further tracks were not received: too many`);
  return lines.join("\n");
}
