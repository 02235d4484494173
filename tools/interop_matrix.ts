/**
 * Runs the interop matrix with every peer on PATH and writes docs/interop.md: `deno task interop`. `--dry` writes nothing.
 */
import { LITE_VERSIONS } from "../wire/versions.ts";
import { VERSION } from "../base/version.ts";
import { launchChromium } from "../tests/support/pages/chromium.ts";
import { type Cell, moqRelay, ourRelay, runMatrix } from "../tests/support/peers/interop_cells.ts";
import {
  type MatrixPeer,
  moqPeer,
  netPeer,
  ours,
  TRANSPORTS,
} from "../tests/support/peers/interop_peers.ts";
import { optional } from "../tests/support/optional.ts";
import { need } from "../tests/support/require.ts";
import { fromFileUrl } from "./file_url.ts";
import { say } from "./say.ts";

/** What the matrix does not try: each row says by which test, or when by hand. */
const MOQ_TRANSPORT = `
## On moq-transport

These were tried at qumo-relay. The tables above are of moq-lite.

| program | drafts | transports | result | tried by |
|---|---|---|---|---|
| \`client\`, as \`interop\` plays it | 16, 18 | QUIC, WebTransport | all its steps that moq-transport has | \`tests/interop/cli_test.ts\` |
| aiomoqt 0.13.3, its interop client | 14, 16, 18, 20, 22 | QUIC, WebTransport | all its cases, \`fetch\` and \`join\` included | \`tests/interop/aiomoqt_test.ts\` |
| Shaka Player 5.2.12 in Chromium | 14, 16 | WebTransport | plays a live broadcast | \`tests/browser/shaka_test.ts\` |
| \`@moq/net\` in Chromium | 16, 18 | WebTransport | it and \`client\` on moq-lite-06 read each other | \`tests/interop/ietf_matrix_test.ts\` |
| \`moq\` | 14, 18 | QUIC | it and \`client\` on moq-lite-06 read each other | \`tests/interop/ietf_matrix_test.ts\` |
| moq-test-client 0.2.0 | 18 | QUIC | 18 of 18 cases | hand, 2026-11-21 |
| moq-test-client 0.2.0 | 18 | WebTransport | 17 or 18 of 18 cases on a busy machine: in some runs \`moq-test-datagram\` lost a datagram | hand, 2026-11-21 |

[protocol.md](protocol.md) says what crosses between moq-lite and moq-transport.
`;

const SHORT = { quic: "Q", webtransport: "W", websocket: "S" } as const;

/** The document, made from the results of the cells. */
export function interopDocument(
  cells: readonly Cell[],
  peers: readonly (readonly [name: string, version: string])[],
  date: string,
): string {
  const count = (outcome: Cell["outcome"]) =>
    cells.filter((cell) => cell.outcome === outcome).length;
  const relays = [...new Set(cells.map(({ relay }) => relay))];
  return `# Interoperability

Made by \`deno task interop\` on ${date}: ${count("pass")} combinations passed, ${
    count("fail")
  } failed, ${count("skip")} do not exist.

| program | version |
|---|---|
${peers.map(([name, version]) => `| ${name} | ${version} |`).join("\n")}

\`client\` is this project's library, \`@moq/net\` runs in Chromium, and \`moq\` and \`moq-relay\` are moq-dev's programs in
Rust (crates \`moq-cli\` and \`moq-relay\`). In every combination the subscriber comes first, has to see the announcement, and
then reads: between \`client\` and \`@moq/net\` 8 groups of 5 frames whose bytes are compared, none missing in between; with
\`moq\`, which speaks media only, four seconds of H.264 at 30 pictures a second, of which at least 60 have to arrive (the
subscriber \`moq\` writes them into a file, where ffprobe counts them). Both ends speak the version of the column. All of it ran on
one small machine, so what failed was tried once more; what passed then is named below.

**Q** raw QUIC, **W** WebTransport, **S** WebSocket (\`ws\`); the browser comes by WebTransport here, so with
one \`@moq/net\` Q and S are what the other end comes by.
✓ passed, ✗ failed, · does not exist.

${relays.map((relay) => relayTable(cells.filter((c) => c.relay === relay), relay)).join("\n")}${
    secondAttempts(cells)
  }${reasons(cells, "fail", "What failed")}${
    reasons(cells, "skip", "What does not exist")
  }${MOQ_TRANSPORT}`;
}

function relayTable(cells: readonly Cell[], relay: string): string {
  const versions = [...new Set(cells.map(({ version }) => version))];
  const pairs = [
    ...new Set(cells.map(({ publisher, subscriber }) => `${publisher} → ${subscriber}`)),
  ];
  const rows = pairs.map((pair) => {
    const columns = versions.map((version) =>
      TRANSPORTS.map((transport) => {
        const cell = cells.find((c) =>
          `${c.publisher} → ${c.subscriber}` === pair && c.version === version &&
          c.transport === transport
        );
        const mark = { pass: "✓", fail: "✗", skip: "·" }[cell?.outcome ?? "skip"];
        return `${SHORT[transport]}${mark}`;
      }).join(" ")
    );
    return `| ${pair} | ${columns.join(" | ")} |`;
  });
  return `## Through ${relay}

| publisher → subscriber | ${versions.map((v) => v.replace("moq-", "")).join(" | ")} |
|---|${versions.map(() => "---|").join("")}
${rows.join("\n")}
`;
}

function secondAttempts(cells: readonly Cell[]): string {
  const late = cells.filter(({ outcome, before }) => outcome === "pass" && before.length > 0);
  if (late.length === 0) return "";
  const lines = late.map((cell) => `- ${where(cell)}; before: ${cell.before.join("; ")}`);
  return `\n## What passed at the second attempt\n\n${lines.join("\n")}\n`;
}

const where = ({ publisher, relay, subscriber, version, transport }: Cell) =>
  `${publisher} → ${relay} → ${subscriber}, ${version}, ${transport}`;

/** Each reason once, with how often it came and where it came first. */
function reasons(cells: readonly Cell[], outcome: Cell["outcome"], title: string): string {
  const byNote = new Map<string, Cell[]>();
  for (const cell of cells) {
    if (cell.outcome !== outcome) continue;
    const all = byNote.get(cell.note) ?? [];
    all.push(cell);
    byNote.set(cell.note, all);
  }
  if (byNote.size === 0) return "";
  const lines = [...byNote].map(([note, all]) =>
    outcome === "skip"
      ? `- ${note}: ${all.length} combinations`
      : `- ${note}:\n${all.map((cell) => `  - ${where(cell)}`).join("\n")}`
  );
  return `\n## ${title}\n\n${lines.join("\n")}\n`;
}

async function versionOf(program: string): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args: ["--version"] }).output();
  return new TextDecoder().decode(stdout).trim().split("\n")[0]!;
}

if (import.meta.main) {
  const chromiumPath = need("chromium").path;
  const moq = need("ffmpeg").ok ? optional("moq") : { ok: false };
  const relay = optional("moq-relay");
  const own = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  const net = own.imports["@moq/net"].split("@").at(-1);
  await using stack = new AsyncDisposableStack();
  const relays = [stack.use(await ourRelay())];
  if (relay.path) relays.push(stack.use(await moqRelay(relay.path)));
  const peers: MatrixPeer[] = [ours];
  if (chromiumPath) peers.push(await netPeer(stack.use(await launchChromium())));
  if (moq.path) peers.push(moqPeer(moq.path));
  const cells = await runMatrix({
    relays,
    peers,
    versions: LITE_VERSIONS,
    parallel: 3,
    attempts: 2,
    onCell: ({ publisher, relay, subscriber, version, transport, outcome, note }) =>
      say(`${outcome}  ${publisher} > ${relay} > ${subscriber}  ${version}  ${transport}  ${note}`),
  });
  const programs: [string, string][] = [
    ["qumo-relay, `client`", `${VERSION} on Deno ${Deno.version.deno}`],
    ...(chromiumPath
      ? [[`@moq/net`, `${net} in ${await versionOf(chromiumPath)}`] as [string, string]]
      : []),
    ...(relay.path
      ? [["moq-relay", (await versionOf(relay.path)).split(" ").at(-1)!] as [string, string]]
      : []),
    ...(moq.path
      ? [["moq (moq-cli)", (await versionOf(moq.path)).split(" ").at(-1)!] as [string, string]]
      : []),
  ];
  const failed = cells.filter(({ outcome }) => outcome === "fail").length;
  if (!Deno.args.includes("--dry")) {
    const text = interopDocument(cells, programs, new Date().toISOString().slice(0, 10));
    await Deno.writeTextFile(fromFileUrl(new URL("../docs/interop.md", import.meta.url)), text);
  }
  say(`${cells.length} combinations, ${failed} failed`);
  await stack.disposeAsync();
  Deno.exit(failed === 0 ? 0 : 1);
}
