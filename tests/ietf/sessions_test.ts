/** Sessions of moq-transport and who runs the relay: tokens, limits, kick, revoke, drain, and what the admin API says. */
import assert from "node:assert/strict";
import { revoke } from "../../server/admin/overview.ts";
import type { Claims } from "../../server/auth/claims.ts";
import { keyOf } from "../../server/auth/keys/key.ts";
import { signToken } from "../../server/auth/token.ts";
import { requestCode, sessionCode } from "../../wire/ietf/codes.ts";
import type { Token } from "../../wire/ietf/fields.ts";
import { type Draft, profileOf } from "../../wire/ietf/profile.ts";
import { Pattern } from "../../wire/path_pattern.ts";
import { KEY } from "../support/fixtures/token_vector.ts";
import { IetfPeer, ns, raw } from "../support/ietf_peer.ts";
import {
  askFor,
  memoryStage,
  path,
  publisherOf,
  refused,
  serverStage,
} from "../support/peers/ietf_stage.ts";
import { launch, type Launched, until } from "../support/server.ts";

const DRAFTS: readonly Draft[] = [14, 16, 18, 22];
const ALL = [Pattern.parse("**")];

/** A token of the key that the relay knows. The number 0 says that both know its kind. */
async function tokenFor(changes: Partial<Claims>): Promise<Token> {
  const claims = { root: "", publish: [], subscribe: [], ...changes };
  return { kind: "value", type: 0, value: raw(await signToken(claims, keyOf(KEY))) };
}

/** A relay that lets in who has a token. */
async function guarded(): Promise<Launched> {
  const file = await Deno.makeTempFile({ suffix: ".jwk" });
  await Deno.writeTextFile(file, JSON.stringify(KEY));
  const relay = await launch({ flags: { "auth.key_file": file } });
  return {
    ...relay,
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]();
      await Deno.remove(file);
    },
  };
}

const dial = (relay: Launched, draft: Draft, tokens: readonly Token[]) =>
  IetfPeer.dial(`moqt://127.0.0.1:${relay.port}/`, draft, {
    ...{ hash: relay.certificate.sha256, setup: { tokens } },
  });

/** Whether a namespace may be published, and the code if not. */
async function publishes(peer: IetfPeer, tokens?: readonly Token[]): Promise<true | number> {
  const parameters = tokens === undefined ? {} : { tokens };
  const ask = await peer.ask("publishNamespace", { namespace: ns("room", "a"), parameters });
  const { kind, value } = await ask.next();
  return kind === "requestOk" ? true : (value as { code: number }).code;
}

Deno.test("a token in SETUP lets a session in, and a wrong one or none does not", async () => {
  await using relay = await guarded();
  const good = await tokenFor({ publish: ALL });
  const bad: Token = { kind: "value", type: 0, value: raw("x.y.z") };
  for (const draft of DRAFTS) {
    await using inside = await dial(relay, draft, [good]);
    await inside.setup();
    assert.equal(await publishes(inside), true, `${draft}`);
    for (const tokens of [[], [bad]]) {
      await using outside = await dial(relay, draft, tokens);
      assert.equal(await outside.end(), sessionCode(profileOf(draft), "unauthorized"), `${draft}`);
    }
  }
});

Deno.test("a revoked token closes its session of moq-transport", async () => {
  await using relay = await guarded();
  for (const draft of DRAFTS) {
    await using peer = await dial(relay, draft, [
      await tokenFor({ publish: ALL, jti: `${draft}` }),
    ]);
    await peer.setup();
    assert.equal(
      await publishes(peer),
      true,
      "it is let in; from 17 on SETUP alone does not say so",
    );
    assert.equal(await revoke(relay.server.view, { jti: `${draft}` }), 1);
    assert.equal(await peer.end(), sessionCode(profileOf(draft), "unauthorized"));
  }
});

Deno.test("the admin API shows sessions with their version, and a kicked one ends with the code", async () => {
  await using stage = await serverStage("moqt", { flags: { "server.workers": "2" } });
  const { adminUrl } = stage.server!;
  for (const [i, draft] of DRAFTS.entries()) {
    const peer = await stage.peer(draft, { worker: i % 2 === 0 ? 0 : 1 });
    const find = async () => {
      const all = await stage.server!.api<{ sessions: { id: number; version: string }[] }>(
        "/api/v1/sessions",
      );
      return all.sessions.filter(({ version }) => version === `moq-transport-${draft}`);
    };
    await until(async () => (await find()).length === 1, "the session");
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    assert.match(metrics, new RegExp(`version="moq-transport-${draft}"[^\n]* 1`));
    const { id } = (await find())[0]!;
    const url = `${adminUrl}/api/v1/sessions/${id}?code=9&reason=enough`;
    const answer = await fetch(url, { method: "DELETE" });
    await answer.body?.cancel();
    assert.equal(answer.status, 204);
    assert.equal(await peer.end(), 9);
  }
});

Deno.test("a relay that drains sends GOAWAY, and closes who does not leave", async () => {
  for (const draft of DRAFTS) {
    await using stage = memoryStage();
    const at = await path(stage, { from: draft, to: draft });
    const draining = stage.relay!.drain(50, "https://other/");
    for (const peer of [at.publisher, at.viewer]) {
      assert.equal((await peer.expect("goaway")).uri, "https://other/");
    }
    const code = sessionCode(profileOf(draft), "goawayTimeout");
    assert.deepEqual([await at.publisher.end(), await at.viewer.end()], [code, code]);
    await draining;
  }
});

Deno.test("limits hold: one subscription and one namespace too many are refused, the others go on", async () => {
  for (const draft of DRAFTS) {
    await using stage = memoryStage({ maxSubscriptions: 1, maxAnnouncements: 1 });
    const { publisher, viewer, fields, down } = await path(stage, { from: draft, to: draft });
    const code = requestCode(profileOf(draft), "subscribe", "overloaded");
    await refused(await askFor(viewer, fields, {}, "second"), code);
    const more = await publisher.ask("publishNamespace", { namespace: ns("more") });
    await refused(more, requestCode(profileOf(draft), "publishNamespace", "overloaded"));
    down.cancel();
    await using other = await publisherOf(stage, draft, ["another", "session"]);
    assert.equal(publisher.closed ?? viewer.closed ?? other.closed, undefined);
  }
});
