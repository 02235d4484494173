/** Tokens of single requests at a whole relay over QUIC: with keys, and with an auth server. */
import assert from "node:assert/strict";
import type { LogFields, Logger } from "../../base/logger.ts";
import { connect } from "../../client/mod.ts";
import { revoke } from "../../server/admin/overview.ts";
import type { Claims } from "../../server/auth/claims.ts";
import { keyOf } from "../../server/auth/keys/key.ts";
import { signToken } from "../../server/auth/token.ts";
import { doneCode, requestCode } from "../../wire/ietf/codes.ts";
import type { Token } from "../../wire/ietf/fields.ts";
import { type Draft, profileOf } from "../../wire/ietf/profile.ts";
import { Pattern } from "../../wire/path_pattern.ts";
import { KEY } from "../support/fixtures/token_vector.ts";
import { IetfPeer, ns, raw } from "../support/ietf_peer.ts";
import { launch, type Launched, until } from "../support/server.ts";

const DRAFTS: readonly Draft[] = [14, 16, 18, 22];
const ROOM = ns("room");
const VIDEO = raw("video");

const signed = (changes: Partial<Claims>) =>
  signToken({ root: "", publish: [], subscribe: [], ...changes }, keyOf(KEY));
const shown = (text: string): Token => ({ kind: "value", type: 0, value: raw(text) });
const some = (text: string) => [Pattern.parse(text)];

const dial = (relay: Launched, draft: Draft, query = "", scheme = "moqt") =>
  IetfPeer.dial(`${scheme}://127.0.0.1:${relay.port}/${query}`, draft, {
    hash: relay.certificate.sha256,
  });

const publish = (peer: IetfPeer, ...tokens: Token[]) =>
  peer.ask("publishNamespace", { namespace: ROOM, parameters: { tokens } });
const subscribe = (peer: IetfPeer, ...tokens: Token[]) =>
  peer.ask("subscribe", {
    ...{ namespace: ROOM, track: VIDEO },
    parameters: { filter: { kind: "next-object" }, tokens },
  });

/** A log that keeps all of its lines. */
function logger(lines: string[], more: LogFields = {}): Logger {
  const put = (message: string, fields?: LogFields) =>
    void lines.push(JSON.stringify({ message, ...more, ...fields }));
  const levels = { debug: put, info: put, warn: put, error: put };
  return { ...levels, with: (fields) => logger(lines, { ...more, ...fields }) };
}

Deno.test("the keys of a relay decide on tokens of requests, revoking one ends what it opened, and no log has them", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/key.jwk`, JSON.stringify(KEY));
  const lines: string[] = [];
  const tokens: string[] = [];
  await using relay = await launch({
    log: logger(lines),
    flags: { "auth.key_file": `${dir}/key.jwk`, "auth.public_subscribe": "lobby" },
  });
  const transports = [...DRAFTS.map((draft) => ["moqt", draft] as const), ["https", 16] as const];
  for (const [scheme, draft] of transports) {
    const profile = profileOf(draft);
    const refused = async (ask: ReturnType<typeof publish>, word: string) => {
      const asked = await ask;
      const { code } = await asked.expect("requestError");
      assert.equal(code, requestCode(profile, asked.request.kind as "subscribe", word), word);
    };
    const mayPublish = await signed({ publish: some("room/**") });
    const mayWatch = await signed({ subscribe: some("room"), jti: `${scheme} ${draft}` });
    const old = await signed({ subscribe: some("room"), exp: 1 });
    tokens.push(mayPublish, mayWatch, old);
    // Public paths let both in, and one of them with a token for something else.
    await using publisher = await dial(relay, draft, "", scheme);
    const own = `?jwt=${await signed({ subscribe: some("other") })}`;
    await using viewer = await dial(relay, draft, own, scheme);
    await refused(publish(publisher), "unauthorized");
    await refused(publish(publisher, shown(mayWatch)), "unauthorized");
    await (await publish(publisher, shown(mayPublish))).expect("requestOk");
    await refused(subscribe(viewer), "doesNotExist");
    await refused(subscribe(viewer, shown(old)), "expiredToken");
    await refused(subscribe(viewer, shown("no token")), "malformedToken");
    await refused(subscribe(viewer, shown(`${mayWatch}x`)), "unauthorized");
    const asked = await subscribe(viewer, shown(mayWatch));
    (await publisher.asked("subscribe")).say("subscribeOk", { alias: 7 });
    await asked.expect("subscribeOk");
    (await publisher.subgroup({ alias: 7, group: 0 })).objects("hi").fin();
    const stream = await viewer.nextSubgroup();
    await stream.done();
    assert.match(`${stream}`, /0=hi/);
    assert.equal(await revoke(relay.server.view, { jti: `${scheme} ${draft}` }), 0);
    const { code } = await asked.expect("publishDone");
    assert.equal(code, doneCode(profile, "unauthorized"));
    await refused(subscribe(viewer, shown(mayWatch)), "unauthorized");
    assert.equal(viewer.closed, undefined);
    lines.push(await (await fetch(`${relay.adminUrl}/api/v1/sessions`)).text());
  }
  assert.ok(lines.some((line) => line.includes('"refused"')));
  const signatures = tokens.map((token) => token.split(".")[2]!);
  assert.deepEqual(lines.filter((line) => signatures.some((one) => line.includes(one))), []);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a token that is revoked ends what it opened at another worker too", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/key.jwk`, JSON.stringify(KEY));
  await using relay = await launch({
    flags: { "auth.key_file": `${dir}/key.jwk`, "server.workers": "2" },
  });
  const own = `?jwt=${await signed({ subscribe: some("lobby") })}`;
  await using publisher = await dial(relay, 18, own);
  const mayPublish = await signed({ publish: some("room"), jti: "publish" });
  await using viewer = await dial({ ...relay, port: relay.port + 1 }, 18, own);
  const mayWatch = shown(await signed({ subscribe: some("room"), jti: "watch" }));
  const news = await publish(publisher, shown(mayPublish));
  await news.expect("requestOk");
  const parameters = { rendezvousTimeoutMs: 5000, tokens: [mayWatch] };
  const asked = await viewer.ask("subscribe", { namespace: ROOM, track: VIDEO, parameters });
  (await publisher.asked("subscribe")).say("subscribeOk", { alias: 7 });
  await asked.expect("subscribeOk");
  await revoke(relay.server.view, { jti: "watch" });
  assert.equal((await asked.expect("publishDone")).code, doneCode(profileOf(18), "unauthorized"));
  await revoke(relay.server.view, { jti: "publish" });
  await news.ended();
  assert.equal(relay.server.relay.origin.find("room"), undefined);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("the library's token lets in over moq-transport", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, JSON.stringify(KEY));
  await using relay = await launch({ flags: { "auth.key_file": file } });
  const token = await signed({ publish: some("**"), subscribe: some("**") });
  for (const scheme of ["moqt", "https"]) {
    const url = `${scheme}://127.0.0.1:${relay.port}/`;
    const hash = relay.certificate.sha256;
    await using client = await connect(url, { hash, token, versions: ["moq-transport-18"] });
    client.publish("room").track("v");
    await until(() => relay.server.relay.origin.find("room") !== undefined, "the broadcast");
    client.close();
    await until(() => relay.server.relay.origin.find("room") === undefined, "its end");
  }
  await Deno.remove(file);
});

Deno.test("an auth server decides on tokens of requests, and hears of their end", async () => {
  const events: string[] = [];
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const { event, query = "", role = "", path } = await request.json();
      events.push([event, path, query, role].join(" ").trim());
      if (query === "jwt=secret") return Response.json({ publish: ["room"] });
      if (query === "user=1") return Response.json({ subscribe: ["lobby"] });
      if (query === "user=1&jwt=secret") return Response.json({ publish: ["room"] });
      return new Response(null, { status: 401 });
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}/`;
  await using relay = await launch({ flags: { "auth.server_url": url } });
  await using peer = await dial(relay, 18, "?user=1");
  await peer.setup();
  await (await publish(peer, shown("wrong"))).expect("requestError");
  const asked = await publish(peer, shown("secret"));
  await asked.expect("requestOk");
  asked.cancel();
  await until(() => events.length === 4, "the end of the request");
  assert.deepEqual(events, [
    "connect / user=1",
    "connect / user=1&jwt=wrong publisher",
    "connect / user=1&jwt=secret publisher",
    "end / user=1&jwt=secret publisher",
  ]);
});
