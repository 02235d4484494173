/** A relay between peers of moq-transport, claim by claim: over memory pairs, QUIC, WebTransport, and two workers. */
import { PROFILES } from "../../wire/ietf/profile.ts";
import { memoryStage, serverStage } from "../support/peers/ietf_stage.ts";
import { type Claim, type Pair, tryAll } from "./claims.ts";
import { OBJECTS } from "./objects.ts";
import { REQUESTS } from "./requests.ts";
import { SESSIONS } from "./sessions.ts";
import { oddNames, tryBridge } from "./bridge.ts";

const CLAIMS: readonly Claim[] = [...OBJECTS, ...REQUESTS, ...SESSIONS];

const SAME: readonly Pair[] = PROFILES.map(({ draft }) => ({ from: draft, to: draft }));
const MIXED: readonly Pair[] = [
  { from: 14, to: 18 },
  { from: 16, to: 14 },
  { from: 18, to: 16 },
  { from: 22, to: 17 },
];
const FEW: readonly Pair[] = [{ from: 18, to: 18 }, { from: 16, to: 22 }, { from: 14, to: 14 }];

Deno.test("peers of moq-transport at a relay in memory", async (t) => {
  await using stage = memoryStage();
  await tryAll(t, stage, CLAIMS, [...SAME, ...MIXED]);
  await tryBridge(t, stage, [14, 16, 18, 22]);
  for (const draft of [14, 18] as const) {
    await t.step(`draft ${draft}: names that no path has`, () => oddNames(stage, draft));
  }
});

for (const scheme of ["moqt", "https"] as const) {
  Deno.test(`peers of moq-transport at a relay over ${scheme}`, async (t) => {
    await using stage = await serverStage(scheme);
    await tryAll(t, stage, CLAIMS, FEW);
    await tryBridge(t, stage, scheme === "moqt" ? [14, 18] : [16, 22]);
  });
}

Deno.test("peers of moq-transport at two workers of a relay", async (t) => {
  await using stage = await serverStage("moqt", { flags: { "server.workers": "2" } });
  await tryAll(t, stage, CLAIMS, FEW);
  await tryBridge(t, stage, [16, 18]);
});
