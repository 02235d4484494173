/**
 * Runs the tests and reports their progress: `deno task test`, `deno task test:quick`. Further arguments go to `deno test`,
 * whose summary comes last and whose exit code is the result.
 */
import { codeFiles, ROOT } from "./module_graph.ts";
import { areaOf, TestProgress } from "./test_progress.ts";
import { say } from "./say.ts";

/**
 * Unit tests that take seconds each: they start programs, wait for real timers or encode real media. The quick run leaves
 * them out.
 */
const SLOW = new Set([
  "cli/serve/health_test.ts",
  "cli/main_test.ts",
  "cli/token/token_test.ts",
  "client/reconnect_test.ts",
  "media/mp4/splitter_test.ts",
  "media/mp4/fragment_muxer_test.ts",
  "storage/redis_test.ts",
  "tools/new_plugin_test.ts",
  "plugins/webrtc/whep_test.ts",
  "server/auth/token_test.ts",
  "session/hostile_test.ts",
  "session/pairs_test.ts",
]);
/** The fastest tests across folders: real QUIC, WebTransport and WebSocket, tokens, layers. */
const FAST = [
  "tests/layers_test.ts",
  "tests/server/relay_test.ts",
  "tests/transport/webtransport_test.ts",
  "tests/transport/websocket_test.ts",
];

const quick = Deno.args[0] === "--quick";
const given = quick ? Deno.args.slice(1) : Deno.args;
const all = (await codeFiles()).filter((path) => /_test\.tsx?$/.test(path));
const absent = [...SLOW, ...FAST].filter((path) => !all.includes(path));
if (absent.length > 0) {
  throw new Error(`Not there, change tools/run_tests.ts: ${absent.join(", ")}`);
}
const beside = all.filter((path) => !path.startsWith("tests/") && !SLOW.has(path));
const files = quick ? [...beside, ...FAST] : [];
const areas = new Set((quick ? files : all).map(areaOf)).size;

// Both processes get Ctrl-C. This one waits for the summary of the tests.
Deno.addSignalListener("SIGINT", () => {});
const child = new Deno.Command(Deno.execPath(), {
  args: [
    ...["test", "-A", "--preload", "tests/support/seed.ts"],
    // `deno task check` checks the types.
    ...(quick ? ["--no-check", "--parallel"] : []),
    ...given,
    ...files,
  ],
  cwd: ROOT,
  stdout: "piped",
  env: Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" },
}).spawn();

const progress = new TestProgress({
  // With arguments, the number of areas is not known beforehand.
  ...(given.length === 0 ? { areas } : {}),
  brief: Deno.stdout.isTerminal(),
  now: () => performance.now(),
});
let rest = "";
for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  for (const line of lines) progress.take(line).forEach(say);
}
progress.take(rest).forEach(say);
Deno.exit((await child.status).code);
