import assert from "node:assert/strict";
import type { RelayState } from "./access.ts";
import { relaySaid } from "./relay_said.ts";

const CASES: readonly [RelayState, RegExp, "wait" | "problem"][] = [
  ["token_needed", /opens \/rooms\/1, and none was shown \(401\)/, "problem"],
  ["token_refused", /taken back.*\(401\)/, "problem"],
  ["forbidden", /grants nothing at \/rooms\/1 \(403\)/, "problem"],
  ["nothing_here", /\/rooms\/1 \(404\)/, "problem"],
  ["too_many", /\(429\)/, "wait"],
  ["cannot_decide", /\(502\)/, "wait"],
  ["unavailable", /\(503\)/, "wait"],
  ["failing", /log tells why/, "wait"],
  ["silent", /does not answer/, "wait"],
];

Deno.test("relaySaid() has words of its own for every answer", () => {
  const short = new Set<string>();
  for (const [state, text, kind] of CASES) {
    const said = relaySaid(state, "rooms/1")!;
    assert.match(said.text, text);
    assert.equal(said.kind, kind, state);
    short.add(said.short);
  }
  assert.equal(short.size, CASES.length);
  assert.equal(relaySaid("ok", ""), undefined);
  assert.match(relaySaid("token_needed", "")!.text, /opens this relay/);
});
