import assert from "node:assert/strict";
import { CompactSign } from "jose";
import { silent } from "../../base/logger.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { Pattern } from "../../wire/path_pattern.ts";
import { Authorizer, type AuthSettings } from "./authorizer.ts";
import { answerOf } from "./auth_answer.ts";
import { ClusterSecret, ClusterSecretUnusable, isOfCluster } from "./cluster_secret.ts";
import { keyOf } from "./keys/key.ts";
import { generateKey, keyJson } from "./keys/make_key.ts";
import { signToken } from "./token.ts";

/** Runs a test with a file of this text. */
async function withFile(text: string, test: (file: string) => Promise<void>): Promise<void> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, text);
    await test(file);
  } finally {
    await Deno.remove(file);
  }
}

const OPEN: AuthSettings = {
  required: false,
  anonymous: false,
  origins: [],
  keyFile: undefined,
  keyDir: undefined,
  jwksUrl: undefined,
  jwksRefresh: 1,
  publicPublish: [],
  publicSubscribe: [],
  serverUrl: undefined,
  serverNode: "n",
};
const SECRET = "sixteen letters!";
const ask = (jwt: string, path = "/") =>
  ({ path, query: `jwt=${jwt}`, remote: "192.0.2.1:5", transport: "quic" }) as const;

const DIALED = { node: "relay.example:443" };
const isDialed = ({ node }: { readonly node?: string }) => node === DIALED.node;
const secretOf = (file: string, clock = new ManualClock()) =>
  new ClusterSecret({ file, clock, log: silent, isDialed });

Deno.test("a token of the cluster's secret makes its holder a node with all rights, whatever else decides", () =>
  withFile(SECRET, async (file) => {
    const clock = new ManualClock();
    const jwt = await secretOf(file, clock).sign(DIALED);
    const settings = [
      OPEN,
      { ...OPEN, required: true },
      { ...OPEN, serverUrl: "http://127.0.0.1:1/" }, // nobody is there: it is not asked
      { ...OPEN, keyDir: "/nowhere" },
    ];
    for (const one of settings) {
      const authorizer = new Authorizer(one, { clock, clusterSecretFile: file, isDialed });
      assert.equal(await authorizer.isOfNode(ask(jwt)), true);
      assert.deepEqual(await authorizer.decide(ask(jwt, "/a")), {
        grant: { root: "a", publish: ["**"], subscribe: ["**"], peer: true },
      });
    }
  }));

Deno.test("no stranger becomes a node: not by the claim, not by another secret, not by an old token", () =>
  withFile(SECRET, async (file) => {
    const clock = new ManualClock();
    const open = new Authorizer(OPEN, { clock, clusterSecretFile: file, isDialed });
    const rights = { root: "", publish: [Pattern.parse("**")], subscribe: [Pattern.parse("**")] };
    const own = await generateKey({ alg: "HS256", kid: "mine" });
    const claimed = await open.decide(ask(await signToken({ ...rights, peer: true }, own)));
    assert.ok(
      "grant" in claimed && claimed.grant.peer === undefined,
      "let in as all are, as no node",
    );

    const named = keyOf({ ...keyJson(own), kid: "qumo-cluster" });
    const body = new TextEncoder().encode(JSON.stringify({ put: "", get: "", peer: true }));
    const bare = new TextEncoder().encode(SECRET.padEnd(32, "\0")); // the text itself is no key
    const forged = [
      await signToken({ ...rights, peer: true }, named),
      await new CompactSign(body).setProtectedHeader({ alg: "HS256", kid: "qumo-cluster" })
        .sign(bare),
      `${btoa('{"alg":"none","kid":"qumo-cluster"}').replaceAll("=", "")}.e30.`,
    ];
    for (const jwt of forged) {
      assert.ok(isOfCluster(jwt));
      const answer = await open.decide(ask(jwt));
      assert.ok("reason" in answer && answer.reason === "bad_token", jwt);
      assert.match(answer.message, /same cluster\.secret_file/);
      assert.equal(await open.isOfNode(ask(jwt)), false);
    }
    const old = await secretOf(file, clock).sign(DIALED);
    clock.advance(60_000);
    const late = await open.decide(ask(old));
    assert.ok("reason" in late && late.reason === "expired");
    for (const text of ["", "x", "a.b.c", "€"]) assert.equal(isOfCluster(text), false);
  }));

Deno.test("a token is good for one dial of one node, and clocks may differ by a minute each way", () =>
  withFile(SECRET, async (file) => {
    const here = new ManualClock();
    const there = new ManualClock();
    there.advance(600_000);
    here.advance(541_000);
    const dialer = secretOf(file, there);
    const authorizer = new Authorizer(OPEN, { clock: here, clusterSecretFile: file, isDialed });
    const answer = async (jwt: string) => {
      const said = await authorizer.decide(ask(jwt));
      return "reason" in said ? said.message : said.grant.peer;
    };
    const first = await dialer.sign(DIALED);
    assert.deepEqual((await Promise.all([answer(first), answer(first)])).map(String).sort(), [
      "Cannot accept the token: it was used before; nodes of a cluster have the same cluster.secret_file, and clocks that agree",
      "true",
    ]);
    assert.match(String(await answer(first)), /used before/);
    assert.equal(await authorizer.isOfNode(ask(first)), false);

    const captured = await dialer.sign({ node: "evil.example:443" });
    assert.equal(await authorizer.isOfNode(ask(captured)), false);
    assert.match(String(await answer(captured)), /it is for evil\.example:443, .*cluster\.url/);
    assert.match(String(await answer(await dialer.sign({ cert: "00" }))), /another certificate/);
    assert.match(String(await answer(await dialer.sign({}))), /no name of this node/);

    here.advance(118_000); // 59 s after the clock of the dialer
    assert.equal(await answer(await dialer.sign(DIALED)), true);
    here.advance(-121_000);
    assert.match(String(await answer(await dialer.sign(DIALED))), /lives too long/);
  }));

Deno.test("a secret that is replaced on disk counts a second later, and one that cannot be read changes nothing", () =>
  withFile(SECRET, async (file) => {
    const clock = new ManualClock();
    const here = secretOf(file, clock);
    await here.prepare();
    await withFile("another secret, also long", async (other) => {
      const jwt = await secretOf(other, clock).sign(DIALED);
      await assert.rejects(here.verify(jwt, ""), /signature/);
      await Deno.copyFile(other, file);
      clock.advance(1000);
      assert.equal((await here.verify(jwt, "")).peer, true);
      await Deno.writeTextFile(file, "short");
      clock.advance(1000);
      assert.equal((await here.verify(jwt, "")).peer, true);
    });
  }));

Deno.test("a secret that is short or missing is refused with its file and what to do", () =>
  withFile(" fifteen letter \n", async (file) => {
    const refused = (said: RegExp) => (error: unknown) =>
      error instanceof ClusterSecretUnusable && said.test(error.message);
    await assert.rejects(
      new Authorizer(OPEN, { clusterSecretFile: file }).prepare(),
      refused(new RegExp(`${file}: it has 14 characters, 16 or more .*openssl rand`)),
    );
    await assert.rejects(
      secretOf("/nowhere/secret").sign(DIALED),
      refused(/\/nowhere\/secret: No such/),
    );
    // An issuer that does not answer yet is no reason to end; a secret that is not there is.
    const issuer = { ...OPEN, jwksUrl: "http://127.0.0.1:1/" };
    await assert.rejects(new Authorizer(issuer, { clusterSecretFile: file }).prepare());
  }));

Deno.test("a token with the claim makes a node where its key is known, and a key with a scope only if that says so", async () => {
  const rights = { root: "", publish: [Pattern.parse("**")], subscribe: [Pattern.parse("**")] };
  const everything = { ...rights };
  const rows = [
    { kid: "a", peer: true },
    { kid: "b", scope: everything, peer: undefined },
    { kid: "c", scope: { ...everything, peer: true as const }, peer: true },
  ];
  for (const { kid, scope, peer } of rows) {
    const key = await generateKey({ alg: "HS256", kid, ...(scope && { scope }) });
    const free = keyOf({ ...keyJson(key), scope: undefined });
    const jwt = await signToken({ ...rights, peer: true }, free);
    await withFile(JSON.stringify(keyJson(key)), async (keyFile) => {
      const answer = await new Authorizer({ ...OPEN, keyFile }).decide(ask(jwt));
      assert.equal("grant" in answer ? answer.grant.peer : undefined, peer, kid);
    });
  }
});

Deno.test("an auth server says of a session that it is a node by true alone", () => {
  const of = (peer: unknown) =>
    answerOf(JSON.stringify({ publish: ["**"], peer }), "/")?.grant.peer;
  assert.deepEqual([of(true), of(false), of(undefined)], [true, undefined, undefined]);
  assert.throws(() => of("true"), /its "peer"/);
});
