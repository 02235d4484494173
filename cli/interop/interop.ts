import { QumoError } from "../../client/mod.ts";
import { didYouMean } from "../../base/suggest.ts";
import { UsageError } from "../../base/errors.ts";
import { describeFlags, parseFlags, switchFlag, textFlag } from "../shell/args.ts";
import {
  CONNECT_FLAGS,
  connectOptionsOf,
  dialRelay,
  durationOf,
  URL_HELP,
  urlOf,
} from "../shell/connect_flags.ts";
import { listenForInterop } from "./interop_listen.ts";
import { CLIENT_STEPS, SERVER_STEPS, type Shared } from "./interop_scenario.ts";
import { runSteps, type RunStepsOptions, type Step } from "./interop_steps.ts";
import { onShutdownSignal } from "../shell/shutdown.ts";

const FLAGS = {
  url: textFlag("URL", "The server, or a relay, to connect to.", { short: "u" }),
  listen: textFlag(
    "ADDR",
    "server: wait for the client at this UDP address, HOST:PORT, instead of dialing.",
    { short: "l" },
  ),
  ...CONNECT_FLAGS,
  timeout: textFlag("TIME", "Longest time of one step; 10s if not given."),
  tap: switchFlag("Print TAP 14 (Test Anything Protocol) instead."),
} as const;

export { FLAGS as flags };
export const words = ["client", "server"];

export const usage = `Usage: qumo-relay interop client --url URL
       qumo-relay interop server --listen ADDR
       qumo-relay interop server --url URL

Tries an implementation of moq-lite or moq-transport: connects, exchanges announcements, reads one
group of one frame by SUBSCRIBE and again by FETCH, asks for a PROBE, publishes the same, waits for
GOAWAY, and closes. The server mirrors that. Prints one line a step: ok, failed and why, or skipped
and why. A step is skipped if the version has no such message.

With --listen the server is the peer itself. With --url it is one more client of a relay, and the
client of the same relay finds it through the relay. The client publishes /interop/client, the
server /interop/server; the track has an empty name, the frame is HELLO.

${URL_HELP}

${describeFlags(FLAGS)}

Examples:
  qumo-relay interop server --listen 127.0.0.1:4443
  qumo-relay interop client --url moqt://127.0.0.1:4443/ --hash HEX    (the server prints HEX)

  qumo-relay interop server --url http://127.0.0.1:4433/ &
  qumo-relay interop client --url http://127.0.0.1:4433/ --version moq-transport-18 --tap

Exit codes: 0 no step failed, 1 one did, 2 the command line is wrong.`;

class SessionLost extends QumoError {
  readonly code = "QUMO_RELAY_LOST";
}

export async function run(args: readonly string[]): Promise<number> {
  const { flags, operands: [role] } = parseFlags(args, FLAGS, { operands: ["client|server"] });
  if (role !== "client" && role !== "server") {
    throw new UsageError(
      role === undefined
        ? "Say which side: `interop client` or `interop server`"
        : `Unknown \`interop ${role}\`${didYouMean(role, ["client", "server"])}`,
    );
  }
  const { url, listen } = flags;
  if (role === "client" && listen !== undefined) throw new UsageError("--listen is the server's");
  if (url !== undefined && listen !== undefined) {
    throw new UsageError("Give one of --url and --listen: the server dials, or is dialed");
  }
  if (url === undefined && listen === undefined) {
    throw new UsageError(
      `interop ${role} needs --url URL` + (role === "server" ? ", or --listen ADDR" : ""),
    );
  }
  const pinned = flags.hash ?? flags.ca ?? flags.version;
  if (listen !== undefined && pinned !== undefined) {
    throw new UsageError(
      "--hash, --ca and --version are for whoever dials: give them to the client",
    );
  }
  const timeoutMs = durationOf("timeout", flags.timeout) ?? 10_000;
  const options = await connectOptionsOf(flags);

  using _signals = onShutdownSignal({
    graceful: () => Deno.exit(130),
    immediate: (exitCode) => Deno.exit(exitCode),
  });
  const tap = flags.tap ?? false;
  if (listen !== undefined) {
    await using server = await listenForInterop(listen);
    return await play(SERVER_STEPS, { open: () => server.client }, { tap, timeoutMs });
  }
  const target = urlOf(url, `interop ${role}`);
  const gone = Promise.withResolvers<string>();
  const open = () => dialRelay(target, { ...options, timeoutMs, ongoaway: gone.resolve });
  const steps = role === "client" ? CLIENT_STEPS : SERVER_STEPS;
  return await play(steps, { open, gone: gone.promise }, { tap, timeoutMs });
}

/** @returns The exit code. */
async function play(
  steps: readonly Step<Shared>[],
  side: Pick<Shared, "open" | "gone">,
  options: Pick<RunStepsOptions, "tap" | "timeoutMs">,
): Promise<number> {
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => {}); // it may come between two steps
  const shared: Shared = {
    ...side,
    async open() {
      const peer = await side.open();
      peer.closed.then(({ reason }) =>
        lost.reject(new SessionLost(`the peer ended the session${reason && `: ${reason}`}`))
      );
      return peer;
    },
  };
  try {
    return await runSteps(steps, shared, { ...options, lost: lost.promise }) ? 0 : 1;
  } finally {
    await shared.peer?.close();
  }
}
