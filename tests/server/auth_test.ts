/**
 * Who may publish and watch, over real sockets: the table of moq-token's worked example by every transport, an auth
 * server, tokens that end or are taken back, and what a debug log says of them.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { LogFields, Logger } from "../../base/logger.ts";
import { type Client, connect, type ConnectOptions } from "../../client/mod.ts";
import { CATALOG } from "../../metrics/catalog.ts";
import { revoke } from "../../server/admin/overview.ts";
import type { Claims } from "../../server/auth/claims.ts";
import { keyOf } from "../../server/auth/keys/key.ts";
import { generateKey, publicKeyJson } from "../../server/auth/keys/make_key.ts";
import { REFUSAL_REASONS } from "../../session/reasons.ts";
import { Pattern } from "../../wire/path_pattern.ts";
import { signToken } from "../../server/auth/token.ts";
import { KEY, TOKEN } from "../support/fixtures/token_vector.ts";
import { launch, type Launched, type LaunchOptions, until } from "../support/server.ts";

/** A transport is one line here. */
const SCHEMES = ["moqt", "https", "ws"] as const;
type Scheme = typeof SCHEMES[number];

/** A relay that checks tokens with the key of the worked example. */
async function guarded(options: LaunchOptions = {}): Promise<Launched> {
  const dir = await Deno.makeTempDir();
  const file = `${dir}/key.jwk`;
  await Deno.writeTextFile(file, JSON.stringify(KEY));
  const relay = await launch({ ...options, flags: { "auth.key_file": file, ...options.flags } });
  return {
    ...relay,
    [Symbol.asyncDispose]: async () => {
      await relay[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** Dials a path of a relay; path and query as a user writes them. */
function dial(relay: Launched, scheme: Scheme, path: string, options: ConnectOptions = {}) {
  const { port, certificate } = relay;
  return connect(`${scheme}://127.0.0.1:${port}${path}`, { hash: certificate.sha256, ...options });
}

const everything: Claims = {
  root: "",
  publish: [Pattern.parse("**")],
  subscribe: [Pattern.parse("**")],
};

const tokenFor = (changes: Partial<Claims>) => signToken({ ...everything, ...changes }, keyOf(KEY));

/** A client that may do everything, from the root. */
const master = async (relay: Launched) =>
  await dial(relay, "moqt", "/", { token: await tokenFor({}) });

/** Paths announced to a client, once there are that many. */
async function announced(client: Client, count: number): Promise<string[]> {
  const paths: string[] = [];
  using news = client.announced("");
  while (paths.length < count) {
    const next = await news.next();
    if (next === undefined) throw new Error("the session ended");
    if (next.active) paths.push(next.path);
  }
  return paths.sort();
}

/** How a session over raw QUIC or a request is refused: the status, or the code of the session's end. */
async function refusalOf(attempt: Promise<Client>): Promise<number | undefined> {
  try {
    await using client = await attempt;
    return (await client.closed).code;
  } catch (error) {
    return (error as { status?: number }).status;
  }
}

interface Row {
  readonly path: string;
  /** What is seen of LIVE, as the session calls it. */
  readonly sees: readonly string[];
  /** What can be published, and its global name; before it something that cannot. */
  readonly publishes?: readonly [path: string, global: string];
  readonly ignored?: string;
}

const LIVE = ["rooms/123/alice", "rooms/123/bob/cam", "rooms/1234/x", "other/x"];

const TABLE: readonly Row[] = [
  {
    path: "/rooms/123",
    sees: ["alice", "bob/cam"],
    publishes: ["alice/new", "rooms/123/alice/new"],
    ignored: "bob/new",
  },
  { path: "/rooms/123/alice", sees: [""], publishes: ["any", "rooms/123/alice/any"] },
  { path: "/rooms/123/bob", sees: ["cam"], ignored: "new" },
  {
    path: "/rooms",
    sees: ["123/alice", "123/bob/cam"],
    publishes: ["123/alice/new", "rooms/123/alice/new"],
    ignored: "123/bob/new",
  },
  {
    path: "/",
    sees: ["rooms/123/alice", "rooms/123/bob/cam"],
    publishes: ["rooms/123/alice/new", "rooms/123/alice/new"],
    ignored: "other/new",
  },
];

for (const scheme of SCHEMES) {
  Deno.test(`the worked token's table holds over ${scheme}://`, async () => {
    await using relay = await guarded();
    await using owner = await master(relay);
    for (const path of LIVE) owner.publish(path).track("t").write("hello");
    await until(() => relay.server.relay.origin.size === LIVE.length, "the broadcasts");
    for (const { path, sees, publishes, ignored } of TABLE) {
      await using client = await dial(relay, scheme, `${path}?x=1&jwt=${TOKEN}`);
      assert.deepEqual(await announced(client, sees.length), sees, path);
      const group = await client.subscribe(sees[0]!, "t").group();
      assert.equal(group?.sequence, 0);
      // Whatever is not granted appears not to exist, under any name.
      for (const name of ["other/x", "rooms/1234/x"]) {
        await assert.rejects(client.fetch(name, "t", 0), /QUMO_|Cannot find/, name);
      }
      if (ignored !== undefined) client.publish(ignored);
      if (publishes !== undefined) {
        const [name, global] = publishes;
        client.publish(name);
        await until(() => at(relay, global), `${global} to be announced`);
      }
      const names = [...relay.server.relay.origin.broadcasts()].map(([name]) => name).sort();
      assert.deepEqual(names, [...LIVE, ...publishes?.slice(1) ?? []].sort(), path);
      await client.close();
      await until(() => relay.server.relay.origin.size === LIVE.length, "its end");
    }
    const [noMatch, noToken] = scheme === "moqt" ? [2, 2] : [403, 401];
    for (const path of ["/other", "/rooms/1234"]) {
      assert.equal(await refusalOf(dial(relay, scheme, `${path}?jwt=${TOKEN}`)), noMatch, path);
    }
    assert.equal(await refusalOf(dial(relay, scheme, "/rooms/123")), noToken);
    assert.equal(await refusalOf(dial(relay, scheme, "/rooms/123?jwt=nonsense")), noToken);
  });
}

const at = (relay: Launched, path: string) =>
  [...relay.server.relay.origin.broadcasts()].some(([name]) => name === path);

Deno.test("an older version that names its path in SETUP, or not at all, is held to the same", async () => {
  await using relay = await guarded({ flags: { "auth.public_subscribe": "open/**" } });
  await using owner = await master(relay);
  owner.publish("rooms/123/alice").track("t").write("hello");
  owner.publish("open/talk").track("t").write("hello");
  for (const version of ["moq-lite-01", "moq-lite-02"]) {
    await using client = await dial(relay, "moqt", `/rooms/123?jwt=${TOKEN}`, {
      versions: [version],
    });
    assert.deepEqual(await announced(client, 1), ["alice"]);
  }
  await using plain = await dial(relay, "moqt", "/", { versions: ["moq-lite-03"] });
  assert.deepEqual(await announced(plain, 1), ["open/talk"]);
});

Deno.test("a SETUP behind a URL that was decided on leads nowhere else", async () => {
  await using relay = await guarded();
  await using owner = await master(relay);
  owner.publish("rooms/123/alice").track("t").write("hello");
  await until(() => relay.server.relay.origin.size === 1, "the broadcast");
  const path = "/rooms/123/bob";
  await using client = await dial(relay, "https", `${path}?jwt=${TOKEN}`);
  await assert.rejects(client.fetch("alice", "t", 0));
  assert.equal([...relay.server.relay.sessions()].at(-1)?.session.root, "rooms/123/bob");
});

Deno.test("/announced and /fetch want the same token, in the query or as a bearer", async () => {
  await using relay = await guarded({ flags: { "auth.public_subscribe": "open/**" } });
  await using owner = await master(relay);
  for (const path of ["rooms/123/alice", "open/talk"]) owner.publish(path).track("t").write("hi");
  await until(() => relay.server.relay.origin.size === 2, "the broadcasts");
  const ask = async (path: string, headers = {}) => {
    const answer = await fetch(`http://127.0.0.1:${relay.port}${path}`, { headers });
    return [answer.status, await answer.text()];
  };
  const bearer = { authorization: `Bearer ${TOKEN}` };
  assert.equal((await ask("/announced/rooms/123"))[0], 401);
  assert.deepEqual(await ask(`/announced/rooms/123?jwt=${TOKEN}`), [200, "alice\n"]);
  assert.deepEqual(await ask("/announced", bearer), [200, "rooms/123/alice\n"]);
  assert.equal((await ask("/announced/other", bearer))[0], 403);
  assert.deepEqual(await ask("/announced"), [200, "open/talk\n"]);
  assert.deepEqual(await ask("/fetch/rooms/123/alice/t?group=0", bearer), [200, "hi"]);
  assert.equal((await ask("/fetch/rooms/123/alice/t?group=0"))[0], 401);
  assert.deepEqual(await ask("/fetch/open/talk/t?group=0"), [200, "hi"]);
  const metrics = await (await fetch(`${relay.adminUrl}/metrics`)).text();
  assert.match(metrics, /^qumo_refused_total\{reason="no_token"\} 2$/m);
  assert.match(metrics, /^qumo_refused_total\{reason="not_granted"\} 1$/m);
});

Deno.test("a WebSocket request that is refused gets a true status", async () => {
  await using relay = await guarded();
  const ask = async (path: string) => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.port });
    const lines = [
      `GET ${path} HTTP/1.1`,
      "Host: 127.0.0.1",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Protocol: qmux-02.moq-lite-06",
    ];
    await conn.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
    const bytes = new Uint8Array(64);
    const length = await conn.read(bytes) ?? 0;
    return Number(new TextDecoder().decode(bytes.subarray(0, length)).split(" ")[1]);
  };
  assert.equal(await ask("/rooms/123"), 401);
  assert.equal(await ask(`/other?jwt=${TOKEN}`), 403);
  assert.equal(await ask(`/rooms/123?jwt=${TOKEN}`), 101);
});

Deno.test("a session ends with its token, and the token is refused from then on", async () => {
  await using relay = await guarded();
  const token = await tokenFor({ exp: Math.floor(Date.now() / 1000) + 2 });
  await using client = await dial(relay, "https", "/", { token });
  const { code, reason } = await client.closed;
  assert.deepEqual([code, reason], [2, "token expired"]);
  assert.equal(await refusalOf(dial(relay, "https", "/", { token })), 401);
});

Deno.test("a revoked token's sessions are closed, it is refused, and others stay; by holder, newer ones are good", async () => {
  await using relay = await guarded();
  const iat = Math.floor(Date.now() / 1000) - 10;
  const [first, second] = await Promise.all(
    ["one", "two"].map((jti) => tokenFor({ jti, sub: "alice", iat })),
  );
  await using one = await dial(relay, "moqt", "/", { token: first! });
  await using two = await dial(relay, "https", "/", { token: second! });
  await until(() => relay.server.relay.sessionCount === 2, "both sessions");
  const { sessions } = await relay.api<{ sessions: { jti: string; sub: string }[] }>(
    "/api/v1/sessions",
  );
  assert.deepEqual(sessions.map(({ jti, sub }) => [jti, sub]).sort(), [
    ["one", "alice"],
    ["two", "alice"],
  ]);
  assert.equal(await revoke(relay.server.view, { jti: "one" }), 1);
  assert.equal((await one.closed).code, 2);
  assert.equal(await refusalOf(dial(relay, "https", "/", { token: first! })), 401);
  assert.equal(relay.server.relay.sessionCount, 1);
  assert.equal(await revoke(relay.server.view, { sub: "alice" }), 1);
  assert.equal((await two.closed).code, 2);
  assert.equal(await refusalOf(dial(relay, "moqt", "/", { token: second! })), 2);
  const newer = await tokenFor({ sub: "alice", iat: Math.floor(Date.now() / 1000) + 2 });
  await using _back = await dial(relay, "https", "/", { token: newer });
});

Deno.test("an issuer's keys are taken over HTTP, and its new key as soon as a token names it", async () => {
  const keys = [await generateKey({ alg: "ES256", kid: "old" })];
  let asked = 0;
  await using issuer = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    asked++;
    return Response.json({ keys: keys.map(publicKeyJson) });
  });
  await using relay = await launch({
    flags: { "auth.jwks_url": `http://127.0.0.1:${issuer.addr.port}/keys` },
  });
  for (let i = 0; i < 2; i++) {
    const token = await signToken(everything, keys[0]!);
    await using client = await dial(relay, "https", "/", { token });
    assert.equal(client.version, "moq-lite-06");
  }
  assert.equal(asked, 1);
  keys[0] = await generateKey({ alg: "EdDSA", kid: "new" });
  const token = await signToken(everything, keys[0]);
  // A name that nobody knows asks again, though not for every such token at once.
  await until(
    async () => {
      try {
        await using _client = await dial(relay, "https", "/", { token });
        return true;
      } catch {
        return false;
      }
    },
    "the new key",
    20_000,
  );
  assert.equal(asked, 2);
});

Deno.test("an auth server decides, is asked again, and hears of the end", async () => {
  type Body = Record<string, unknown>;
  const bodies: Body[] = [];
  const grant = { root: "tenant/7", publish: ["cam/**"], subscribe: ["**"], revalidate: 0.2 };
  let answer = (): Response =>
    Response.json({ ...grant, expires: Date.now() / 1000 + 60, tier: "free" });
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const body = await request.json() as Body;
      bodies.push(body);
      if (body["event"] === "end") return new Response(null, { status: 204 });
      return String(body["query"]).includes("jwt=good")
        ? answer()
        : new Response(null, { status: 403 });
    },
  );
  await using relay = await launch({
    flags: { "auth.server_url": `http://127.0.0.1:${server.addr.port}/` },
  });
  assert.equal(await refusalOf(dial(relay, "https", "/room?jwt=bad")), 403);
  await using client = await dial(relay, "moqt", "/room?jwt=good&x=1");
  client.publish("cam/1");
  await until(() => at(relay, "tenant/7/cam/1"), "its broadcast where the server mounts it");
  await until(() => bodies.some(({ event }) => event === "revalidate"), "a revalidation");
  const [refused, connected] = bodies as [Body, Body];
  assert.deepEqual({ ...refused, id: "", remote: "" }, {
    id: "",
    remote: "",
    event: "connect",
    node: "qumo-relay",
    transport: "quic",
    path: "/room",
    query: "jwt=bad",
  });
  assert.match(String(connected["id"]), /^[0-9a-f]{32}$/);
  assert.equal(connected["query"], "jwt=good&x=1");
  // A failed request is no answer, so the session stays. An answer with fewer rights ends it.
  answer = () => new Response("broken", { status: 500 });
  const before = bodies.length;
  await until(() => bodies.length > before, "a failed revalidation");
  assert.equal(relay.server.relay.sessionCount, 1);
  answer = () =>
    Response.json({ ...grant, expires: Date.now() / 1000 + 60, publish: [], revalidate: 60 });
  assert.deepEqual(await client.closed, { code: 2, reason: "grant narrowed", abrupt: false });
  await until(() => bodies.at(-1)?.["event"] === "end", "the end");
  const { id, reason, bytes } = bodies.at(-1)!;
  assert.deepEqual([id, reason, bytes], [connected["id"], "grant narrowed", {
    sent: 0,
    received: 0,
  }]);
  answer = () => new Response("broken", { status: 500 });
  assert.equal(await refusalOf(dial(relay, "https", "/room?jwt=good")), 502);
  assert.equal(await refusalOf(dial(relay, "moqt", "/room?jwt=good")), 566);
});

Deno.test("no token is in a debug log, a metric, an answer of the admin API or an error", async () => {
  const lines: string[] = [];
  const logger = (more: LogFields): Logger => {
    const put = (message: string, fields?: LogFields) =>
      void lines.push(JSON.stringify({ message, ...more, ...fields }));
    return {
      debug: put,
      info: put,
      warn: put,
      error: put,
      with: (fields) => logger({ ...more, ...fields }),
    };
  };
  await using relay = await guarded({ log: logger({}) });
  const bad = TOKEN.slice(0, -6) + "AAAAAA";
  const errors: string[] = [];
  for (const scheme of SCHEMES) {
    await using client = await dial(relay, scheme, `/rooms/123?jwt=${TOKEN}`);
    client.publish("alice/cam").track("t").write("hi");
    await until(() => at(relay, "rooms/123/alice/cam"), "its broadcast");
    await fetch(`http://127.0.0.1:${relay.port}/fetch/rooms/123/alice/cam/t?jwt=${TOKEN}`)
      .then((answer) => answer.text());
    for (const path of [`/rooms/123?jwt=${bad}`, `/other?jwt=${TOKEN}`]) {
      const failed = await dial(relay, scheme, path).then(
        async (refused) => (await refused.closed).reason,
        (error: Error) => `${error.message} ${error.stack} ${Deno.inspect(error)}`,
      );
      errors.push(failed);
    }
    const paths = ["/metrics", "/api/v1/sessions", "/api/v1/config", "/api/v1/broadcasts"];
    for (const path of paths) lines.push(await (await fetch(relay.adminUrl + path)).text());
  }
  await until(() => lines.filter((line) => line.includes('"refused"')).length >= 6, "the log");
  const [, claims, signature] = TOKEN.split(".") as [string, string, string];
  for (const secret of [claims, signature, bad.split(".")[2]!, KEY.k]) {
    assert.deepEqual(lines.filter((line) => line.includes(secret)), []);
    assert.deepEqual(errors.filter((text) => text.includes(secret)), []);
  }
});

Deno.test("every reason to refuse has its label in the metrics", () => {
  const metrics = CATALOG.flatMap((section) => section.metrics);
  const { labels } = metrics.find(({ name }) => name === "qumo_refused_total")!;
  assert.deepEqual(labels?.["reason"], REFUSAL_REASONS);
});

Deno.test("a server that is told nothing is open to everybody; one that requires tokens is not", async () => {
  const start = (flags: Record<string, string>) =>
    launch({ flags: { "server.address": "0.0.0.0:0", ...flags } });
  const announced = async (flags: Record<string, string>) => {
    await using relay = await start(flags);
    return (await fetch(`http://127.0.0.1:${relay.port}/announced/live`)).status;
  };
  assert.equal(await announced({}), 200);
  assert.equal(await announced({ "auth.anonymous": "true" }), 200);
  assert.equal(await announced({ "auth.required": "true" }), 401);
  const some = { "auth.public_subscribe": "live/**" };
  assert.equal(await announced(some), 200);
  assert.equal(await announced({ ...some, "auth.required": "true" }), 200);
  assert.equal(await announced({ "auth.public_subscribe": "news/**" }), 401);
  await assert.rejects(start({ "auth.key_file": "/nowhere/key.jwk" }), /Cannot read keys/);
});
