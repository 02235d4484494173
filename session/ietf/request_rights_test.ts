/** Tokens of single requests at a relay: by whom they are checked, what they open, and how it ends. */
import assert from "node:assert/strict";
import { type Ask, IetfPeer, ns, raw } from "../../tests/support/ietf_peer.ts";
import { memoryPair } from "../../transport/memory/memory.ts";
import { doneCode, requestCode, type RequestWord, sessionCode } from "../../wire/ietf/codes.ts";
import type { Request } from "../../wire/ietf/dialect.ts";
import type { Token } from "../../wire/ietf/fields.ts";
import { type Draft, profileOf } from "../../wire/ietf/profile.ts";
import { type TestRelay, testRelay, tick } from "../peers_test.ts";
import type { RequestWish, TokenRefusal } from "../session.ts";

const DRAFTS: readonly Draft[] = [14, 16, 18, 22];
const ROOM = ns("room", "a");
const VIDEO = raw("video");
const text = new TextDecoder();

const shown = (name: string, type = 0): Token => ({ kind: "value", type, value: raw(name) });

interface Rights {
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
}

/** A relay with a publisher of room/a, and a peer whose session may do little. */
async function stage(draft: Draft, own: Rights = { subscribe: ["lobby"] }) {
  const at = testRelay();
  const asked: RequestWish[] = [];
  const judged = () => asked.map(({ role, token }) => `${role} ${text.decode(token.value)}`);
  const judge = ({ role, token }: RequestWish) => {
    asked.push({ role, token });
    const name = text.decode(token.value);
    if (name === "old") return "expiredToken" satisfies TokenRefusal;
    if (name === "mess") return "malformedToken" satisfies TokenRefusal;
    if (token.kind !== 0 || name === "stranger") return "unauthorized" satisfies TokenRefusal;
    const rights = name === "elsewhere" ? ["other/**"] : ["room/**"];
    const expiresAtMs = at.clock.wallMs() + (name === "short" ? 1000 : 60_000);
    return { grant: { root: "", publish: rights, subscribe: rights, jti: name, expiresAtMs } };
  };
  const peer = await join(at, draft, own, (wish) => Promise.resolve(judge(wish)));
  return { at, peer, judged };
}

type Judge = NonNullable<NonNullable<Parameters<TestRelay["relay"]["accept"]>[2]>["judge"]>;

async function join({ relay }: TestRelay, draft: Draft, own?: Rights, judge?: Judge) {
  const [near, far] = memoryPair({ protocol: profileOf(draft).alpn });
  const grant = { root: "", publish: [], subscribe: [], ...own };
  void relay.accept(
    far,
    own && (() => Promise.resolve({ grant })),
    judge === undefined ? {} : { judge },
  );
  const peer = await IetfPeer.client(near, draft);
  await peer.setup();
  return peer;
}

/** A publisher of room/a that may do everything. */
async function publisherAt(at: TestRelay, draft: Draft) {
  const peer = await join(at, draft);
  await (await peer.ask("publishNamespace", { namespace: ROOM })).expect("requestOk");
  return peer;
}

const subscribe = (peer: IetfPeer, ...tokens: Token[]): Promise<Ask> =>
  peer.ask("subscribe", {
    namespace: ROOM,
    track: VIDEO,
    parameters: { filter: { kind: "next-object" }, tokens },
  });

async function isRefused(ask: Ask, draft: Draft, word: RequestWord): Promise<void> {
  const { code } = await ask.expect("requestError");
  assert.equal(code, requestCode(profileOf(draft), ask.request.kind as Request, word), word);
}

for (const draft of DRAFTS) {
  const profile = profileOf(draft);

  Deno.test(`draft ${draft}: a token opens the one SUBSCRIBE that it comes with`, async () => {
    const { at, peer, judged } = await stage(draft);
    const publisher = await publisherAt(at, draft);
    await isRefused(await subscribe(peer), draft, "doesNotExist");
    await isRefused(await subscribe(peer, shown("stranger")), draft, "unauthorized");
    await isRefused(await subscribe(peer, shown("good", 7)), draft, "unauthorized");
    await isRefused(await subscribe(peer, shown("elsewhere")), draft, "unauthorized");
    await isRefused(await subscribe(peer, shown("old")), draft, "expiredToken");
    await isRefused(await subscribe(peer, shown("mess")), draft, "malformedToken");
    const asked = await subscribe(peer, shown("stranger"), shown("good"));
    (await publisher.asked("subscribe")).say("subscribeOk", { alias: 7 });
    await asked.expect("subscribeOk");
    (await publisher.subgroup({ alias: 7, group: 0 })).objects("hi").fin();
    assert.match(`${await peer.nextSubgroup()}`, /0=hi/);
    assert.equal(judged().length, 7);
    asked.cancel();
    await tick();
    at.clock.advance(2000);
    await tick();
    await isRefused(await subscribe(peer), draft, "doesNotExist");
  });

  Deno.test(`draft ${draft}: the token of a request that the session may make is not looked at`, async () => {
    const { at, peer, judged } = await stage(draft, { publish: ["**"], subscribe: ["room/**"] });
    const publisher = await publisherAt(at, draft);
    const asked = await subscribe(peer, shown("stranger"));
    (await publisher.asked("subscribe")).say("subscribeOk", { alias: 7 });
    await asked.expect("subscribeOk");
    const tokens = [shown("mess")];
    const news = await peer.ask("publishNamespace", { namespace: ns("x"), parameters: { tokens } });
    await news.expect("requestOk");
    const watch = await peer.ask("subscribeNamespace", {
      prefix: ns("room"),
      wanted: "namespaces",
      parameters: { tokens },
    });
    await watch.expect("requestOk");
    assert.deepEqual(judged(), []);
  });

  Deno.test(`draft ${draft}: a token opens PUBLISH_NAMESPACE and PUBLISH, and what it opened ends with it`, async () => {
    const { at, peer, judged } = await stage(draft);
    const { origin } = at.relay;
    const publish = (kind: "publish" | "publishNamespace", ...tokens: Token[]) =>
      peer.ask(kind, {
        ...{ namespace: ROOM, parameters: { tokens } },
        ...(kind === "publish" && { track: VIDEO, alias: 1 }),
      });
    for (const kind of ["publishNamespace", "publish"] as const) {
      const first = await publish(kind);
      await isRefused(first, draft, "unauthorized");
      await isRefused(await publish(kind, shown("elsewhere")), draft, "unauthorized");
      await isRefused(await publish(kind, shown("old")), draft, "expiredToken");
      const asked = await publish(kind, shown(`good ${kind}`));
      await asked.expect("requestOk");
      assert.ok(origin.find("room/a", 0n, "video"));
      // The rights are those of one request.
      const other = await peer.ask("publishNamespace", { namespace: ns("room", "b") });
      await isRefused(other, draft, "unauthorized");
      at.relay.revoke({ jti: `good ${kind}` });
      await tick();
      assert.equal(origin.find("room/a", 0n, "video"), undefined);
      if (profile.requestStreams) await asked.ended();
      else if (kind === "publish") await asked.expect("unsubscribe");
      else {
        // Draft 14 names what it was about: the script finds its first request for that.
        const { code } = await (draft === 14 ? first : asked).expect("publishNamespaceCancel");
        assert.equal(code, requestCode(profile, kind, "unauthorized"));
      }
      at.clock.advance(2000);
      await tick();
    }
    assert.equal(judged().every((one) => one.startsWith("publisher ")), true);
    const asked = await publish("publishNamespace", shown("short"));
    await asked.expect("requestOk");
    at.clock.advance(1500);
    await tick();
    assert.equal(origin.find("room/a"), undefined);
    assert.equal(peer.closed, undefined);
  });

  Deno.test(`draft ${draft}: a subscription ends with its token, and one with another token goes on`, async () => {
    const { at, peer } = await stage(draft);
    const publisher = await publisherAt(at, draft);
    const ends = [
      ["short", () => at.clock.advance(1500)],
      ["taken", () => at.relay.revoke({ jti: "taken" })],
    ] as const;
    for (const [name, end] of ends) {
      const asked = await subscribe(peer, shown(name));
      const up = await publisher.asked("subscribe");
      up.say("subscribeOk", { alias: name.length });
      await asked.expect("subscribeOk");
      end();
      const done = await asked.expect("publishDone");
      assert.equal(done.code, doneCode(profile, "unauthorized"));
      await tick();
      at.clock.advance(20_000);
      await tick();
    }
    const early = await subscribe(peer, shown("early"));
    await publisher.asked("subscribe");
    at.relay.revoke({ jti: "early" });
    await isRefused(early, draft, "unauthorized");
    assert.equal(peer.closed, undefined);
  });

  if (draft !== 14) {
    Deno.test(`draft ${draft}: an update brings the token that a subscription goes on with`, async () => {
      const { at, peer } = await stage(draft);
      const publisher = await publisherAt(at, draft);
      const asked = await subscribe(peer, shown("short"));
      (await publisher.asked("subscribe")).say("subscribeOk", { alias: 7 });
      await asked.expect("subscribeOk");
      asked.update({ tokens: [shown("good")] });
      await asked.expect("requestOk");
      at.clock.advance(1500);
      await tick();
      assert.equal(asked.waiting, 0);
      asked.update({ tokens: [shown("old")] });
      const { code } = await asked.expect("requestError");
      assert.equal(code, requestCode(profile, "update", "expiredToken"));
      assert.equal((await asked.expect("publishDone")).code, doneCode(profile, "updateFailed"));
    });
  }

  Deno.test(`draft ${draft}: a token opens FETCH and TRACK_STATUS`, async () => {
    const { at, peer, judged } = await stage(draft);
    const publisher = await publisherAt(at, draft);
    const watcher = await join(at, draft);
    await subscribe(watcher);
    (await publisher.asked("subscribe")).say("subscribeOk", { alias: 7 });
    await tick();
    (await publisher.subgroup({ alias: 7, group: 0 })).objects("hi").fin();
    await tick();
    const status = (...tokens: Token[]) =>
      peer.ask("trackStatus", { namespace: ROOM, track: VIDEO, parameters: { tokens } });
    await isRefused(await status(), draft, "doesNotExist");
    await isRefused(await status(shown("stranger")), draft, "unauthorized");
    const ok = await (await status(shown("good"))).expect("requestOk");
    assert.deepEqual(ok.parameters.largest, { group: 0, object: 0 });
    const fetch = (...tokens: Token[]) =>
      peer.ask("fetch", {
        target: { kind: "track", namespace: ROOM, track: VIDEO },
        parameters: {
          filter: { kind: "range", start: { group: 0, object: 0 }, end: { group: 0 } },
          tokens,
        },
      });
    await isRefused(await fetch(), draft, "doesNotExist");
    await isRefused(await fetch(shown("old")), draft, "expiredToken");
    at.clock.advance(50);
    await (await fetch(shown("good"))).expect("fetchOk");
    assert.equal(judged().length, 4);
  });

  Deno.test(`draft ${draft}: a token shows the namespaces that it allows, as long as it does`, async () => {
    const { at, peer, judged } = await stage(draft);
    await publisherAt(at, draft);
    const watch = (prefix: string, ...tokens: Token[]) =>
      peer.ask("subscribeNamespace", {
        ...{ prefix: ns(prefix), wanted: "namespaces" as const },
        parameters: { tokens },
      });
    await isRefused(await watch("room", shown("elsewhere")), draft, "unauthorized");
    const ask = await watch("room", shown("good"));
    await ask.expect("requestOk");
    if (profile.namespaceStream || profile.requestStreams) await ask.expect("namespace");
    else (await peer.asked("publishNamespace")).say("requestOk");
    assert.equal(judged().length, 2);
    at.relay.revoke({ jti: "good" });
    await tick();
    const later = await join(at, draft);
    await (await later.ask("publishNamespace", { namespace: ns("room", "b") })).expect("requestOk");
    await tick();
    assert.equal(peer.waiting, 0);
    if (profile.namespaceStream || profile.requestStreams) assert.equal(await ask.ended(), "fin");
  });

  Deno.test(`draft ${draft}: tokens have no aliases, and more than a few of them are not looked at`, async () => {
    const several = await stage(draft);
    await publisherAt(several.at, draft);
    const five = Array.from({ length: 5 }, () => shown("good"));
    await isRefused(await subscribe(several.peer, ...five), draft, "unauthorized");
    assert.deepEqual(several.judged(), []);
    const aliased: readonly (readonly [Token, string])[] = [
      [{ kind: "use", alias: 1 }, "unknownTokenAlias"],
      [{ kind: "delete", alias: 1 }, "unknownTokenAlias"],
      [{ kind: "register", alias: 1, type: 0, value: raw("good") }, "tokenCacheOverflow"],
    ];
    for (const [token, word] of aliased) {
      const { peer } = await stage(draft, { subscribe: ["**"] });
      await subscribe(peer, token);
      await tick();
      assert.equal(peer.closed?.code, sessionCode(profile, word), word);
    }
  });
}

Deno.test("tracks that a token offers go out by PUBLISH, and end with it", async () => {
  for (const draft of [16, 18, 22] as const) {
    const { at, peer } = await stage(draft);
    const publisher = await join(at, draft);
    const track = await publisher.ask("publish", { namespace: ROOM, track: VIDEO, alias: 3 });
    await track.expect("requestOk");
    const kind = peer.dialect.has("subscribeTracks") ? "subscribeTracks" : "subscribeNamespace";
    const parameters = { tokens: [shown("good")] };
    const ask = await peer.ask(kind, { prefix: ns("room"), wanted: "tracks", parameters });
    await ask.expect("requestOk");
    const offer = await peer.asked("publish");
    offer.say("requestOk");
    await tick();
    at.relay.revoke({ jti: "good" });
    const done = await offer.expect("publishDone");
    assert.equal(done.code, doneCode(profileOf(draft), "unauthorized"));
  }
});

Deno.test("a session that shows refused tokens has others refused unseen, until a while has passed", async () => {
  const { at, peer, judged } = await stage(18);
  await publisherAt(at, 18);
  for (let i = 0; i < 100; i++) {
    await isRefused(await subscribe(peer, shown("stranger")), 18, "unauthorized");
  }
  await isRefused(await subscribe(peer, shown("good")), 18, "overloaded");
  assert.equal(judged().length, 100);
  at.clock.advance(50);
  await isRefused(await subscribe(peer, shown("stranger")), 18, "unauthorized");
});

Deno.test("a fetch has the rights of the subscription that it joins, and no other", async () => {
  for (const draft of DRAFTS.filter((one) => one < 20)) {
    const { at, peer } = await stage(draft);
    const publisher = await publisherAt(at, draft);
    await subscribe(await join(at, draft));
    (await publisher.asked("subscribe")).say("subscribeOk", { alias: 7 });
    await tick();
    const group = await publisher.subgroup({ alias: 7, group: 0 });
    group.objects("a", "b");
    await tick();
    const asked = await subscribe(peer, shown("good"));
    const joining = () =>
      peer.ask("fetch", {
        target: { kind: "joining", subscription: asked.id, from: "groups-back", group: 0 },
      });
    const fetch = await joining();
    await asked.expect("subscribeOk");
    await fetch.expect("fetchOk");
    assert.match(`${await peer.nextFetch()}`, /a/);
    at.relay.revoke({ jti: "good" });
    await asked.expect("publishDone");
    const late = await joining();
    await tick();
    at.clock.advance(1000);
    await isRefused(late, draft, "invalidJoining");
  }
});

Deno.test("no more than sixteen tokens of a session are checked at a time", async () => {
  const at = testRelay();
  const { promise, resolve } = Promise.withResolvers<TokenRefusal>();
  let asked = 0;
  const peer = await join(at, 18, {}, () => (asked++, promise));
  const parameters = { tokens: [shown("x")] };
  const asks = await Promise.all(Array.from(
    { length: 18 },
    (_, i) => peer.ask("subscribe", { namespace: ROOM, track: raw(`${i}`), parameters }),
  ));
  await tick(3);
  assert.equal(asked, 16);
  for (const ask of asks.slice(16)) await isRefused(ask, 18, "overloaded");
  resolve("unauthorized");
  for (const ask of asks.slice(0, 16)) await isRefused(ask, 18, "unauthorized");
});
