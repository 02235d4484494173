import assert from "node:assert/strict";
import { nameProblem, publishSaid } from "../publish/publish_state.ts";
import { relaySaid } from "../connect/relay_said.ts";
import { watchSaid, type WatchState } from "./watch_state.ts";

const DOWN = relaySaid("silent", "");

const PLAYING: WatchState = {
  browserProblem: undefined,
  noPlayer: false,
  relay: undefined,
  name: "demo",
  announced: true,
  wasAnnounced: true,
  player: { link: "connected", broadcast: "live", unsupported: false, playing: true },
  shownAsData: false,
  wasConnected: true,
  unconnectedMs: 0,
};

Deno.test("watchSaid() says nothing while all is well", () => {
  assert.equal(watchSaid(PLAYING), undefined);
});

Deno.test("watchSaid() has a sentence for everything that can be wrong, the cause before its effects", () => {
  const player = PLAYING.player!;
  const cut = { ...player, link: "disconnected" as const };
  const cases: readonly [Partial<WatchState>, RegExp, "wait" | "problem"][] = [
    [{ browserProblem: "No WebTransport.", relay: DOWN }, /^No WebTransport\.$/, "problem"],
    [{ noPlayer: true }, /no player with it/, "problem"],
    [{ relay: DOWN, player: cut }, /does not answer/, "wait"],
    [{ relay: relaySaid("forbidden", "rooms/1") }, /\/rooms\/1 \(403\)/, "problem"],
    [{ player: undefined }, /Fetching/, "wait"],
    [{ player: cut }, /was lost\. Connecting again/, "wait"],
    [{ player: cut, wasConnected: false }, /^Connecting …$/, "wait"],
    [{ player: cut, wasConnected: false, unconnectedMs: 5000 }, /UDP .* certificate/, "problem"],
    [{ announced: false }, /demo has ended/, "wait"],
    [{ announced: false, wasAnnounced: false }, /Waiting for demo to begin/, "wait"],
    [{ player: { ...player, unsupported: true } }, /cannot decode/, "problem"],
    [
      { player: { ...player, playing: false }, shownAsData: true },
      /demo has nothing that this page can play/,
      "wait",
    ],
    [{ player: { ...player, playing: false } }, /first picture/, "wait"],
  ];
  for (const [change, text, kind] of cases) {
    const said = watchSaid({ ...PLAYING, ...change });
    assert.match(said!.text, text);
    assert.equal(said!.kind, kind, said!.text);
  }
});

Deno.test("watchSaid() and publishSaid() keep a name of any kind within their sentence", () => {
  const name = `abc\u202e${"x".repeat(300)}`;
  const { text } = watchSaid({ ...PLAYING, name, announced: false })!;
  assert.match(text, /^abc\\u202ex+…x+ has ended\./);
  assert.ok(text.length < 200);
  const said = publishSaid({ kind: "live", status: undefined, read: true }, name).text;
  assert.match(said, /^abc\\u202ex+…x+ is live/);
  assert.match(nameProblem("abc\u202efdp.exe", [])!, /cannot be seen: abc\\u202efdp/);
  assert.equal(nameProblem("folder\\under", []), undefined);
});
