/**
 * aiomoqt's interop client, which has the cases of the community's runner, against this relay: over raw QUIC and
 * WebTransport, in each draft that both speak. Only where it is installed.
 */
import assert from "node:assert/strict";
import { optional } from "../support/optional.ts";
import { type RelayProgram, startRelay } from "../support/program.ts";

const client = optional("moq-interop-client");
const ignore = !client.ok;

/** The drafts that aiomoqt speaks. */
const DRAFTS = [14, 16, 18, 20, 22];
const SCHEMES = ["moqt", "https"];
/** How many cases it has by itself, of which it skips those that a draft has no messages for; and the others. */
const CASES = 12;
const ASKED = ["fetch", "join"];

/** Runs it, and returns how each case has ended, as TAP says it. */
async function run(
  relay: RelayProgram,
  scheme: string,
  draft: number,
  ...args: readonly string[]
): Promise<string[]> {
  const command = new Deno.Command(client.path!, {
    args: [
      ...["-r", `${scheme}://localhost:${relay.port}/`, "--draft", String(draft)],
      // Clients that start in the same second would else publish the same tracks.
      ...["--tls-disable-verify", "--namespace-prefix", `${scheme}${draft}`, ...args],
    ],
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder();
  const tap = text.decode(stdout);
  const results = tap.split("\n").filter((line) => /^(not )?ok /.test(line));
  const failed = results.length === 0 ||
    results.some((line) => !/^ok \d+ - [\w-]+( # SKIP .*)?$/.test(line));
  if (code !== 0 || failed) {
    throw new Error(`${scheme}, draft ${draft}, exit code ${code}:\n${tap}${text.decode(stderr)}`);
  }
  return results;
}

for (const scheme of SCHEMES) {
  Deno.test({
    name: `aiomoqt passes all its cases over ${scheme}, in every draft it speaks`,
    ignore,
    async fn() {
      await using relay = await startRelay();
      const runs = await Promise.allSettled(DRAFTS.map(async (draft) => {
        assert.equal((await run(relay, scheme, draft)).length, CASES);
        for (const test of ASKED) {
          assert.equal((await run(relay, scheme, draft, "-t", test)).length, 1);
        }
      }));
      const reasons = runs.flatMap((one) => one.status === "rejected" ? [String(one.reason)] : []);
      assert.equal(reasons.join("\n"), "");
    },
  });
}
