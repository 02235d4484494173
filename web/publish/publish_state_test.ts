import assert from "node:assert/strict";
import { relaySaid } from "../connect/relay_said.ts";
import { nameProblem, type Phase, publishSaid } from "./publish_state.ts";

Deno.test("publishSaid() has a sentence for every phase", () => {
  const live = (status: Extract<Phase, { kind: "live" }>["status"], read = false): Phase => ({
    kind: "live",
    status,
    read,
  });
  const cases: readonly [Phase, RegExp, string][] = [
    [{ kind: "idle" }, /Nothing leaves this browser/, "idle"],
    [{ kind: "opening" }, /permission/, "wait"],
    [{ kind: "connecting" }, /Connecting/, "wait"],
    [{ kind: "failed", reason: "No camera was found." }, /^No camera was found\.$/, "problem"],
    [live(undefined), /demo is live\. Nobody/, "live"],
    [live(undefined, true), /demo is live, and being watched/, "live"],
    [
      live({ state: "reconnecting", reason: "lost", attempt: 3, waitMs: 10 }),
      /lost.*attempt 3/,
      "wait",
    ],
    [live({ state: "moving", url: "https://other/" }), /sends us on/, "live"],
    [live({ state: "closed", code: 0, reason: "gave up" }), /\(gave up\)/, "problem"],
  ];
  for (const [phase, text, kind] of cases) {
    const said = publishSaid(phase, "demo");
    assert.match(said.text, text);
    assert.equal(said.kind, kind);
  }
});

Deno.test("publishSaid() calls nothing live while the relay is gone or does not let us in", () => {
  const live: Phase = { kind: "live", status: undefined, read: true };
  const gone = publishSaid(live, "demo", relaySaid("silent", ""));
  assert.equal(gone.kind, "wait");
  assert.match(gone.text, /does not answer.*was lost\. Trying again/);
  const refused = publishSaid(live, "demo", relaySaid("token_refused", ""));
  assert.equal(refused.kind, "problem");
  assert.match(refused.text, /401/);
  const idle = publishSaid({ kind: "idle" }, "demo", relaySaid("silent", ""));
  assert.equal(idle.kind, "idle");
});

Deno.test("nameProblem() refuses what cannot be found again by its name", () => {
  assert.equal(nameProblem("live/cam 1", []), undefined);
  for (const name of ["", "  ", "a\nb", ".hidden", "a/.b", "x".repeat(201)]) {
    assert.notEqual(nameProblem(name, []), undefined, name);
  }
  assert.match(nameProblem("demo", ["demo"])!, /live already/);
});
