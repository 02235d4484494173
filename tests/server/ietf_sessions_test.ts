import assert from "node:assert/strict";
import { IetfPeer, ns } from "../support/ietf_peer.ts";
import { KEY, TOKEN } from "../support/fixtures/token_vector.ts";
import { launch, type Launched, until } from "../support/server.ts";
import { dial } from "../../transport/dial.ts";
import { HandshakeFailed, ProtocolRefused, RequestRefused } from "../../transport/errors.ts";
import { PROFILES } from "../../wire/ietf/profile.ts";

const track = new TextEncoder().encode("v");

for (const scheme of ["moqt", "https", "wss"]) {
  Deno.test(`every draft comes in by ${scheme}: and carries a track`, async () => {
    await using at = await launch();
    for (const profile of PROFILES) {
      const { draft, name, setupVersion, alpn } = profile;
      const named = setupVersion === undefined || scheme !== "https";
      const options = scheme === "wss"
        ? { caCerts: [at.certificate.cert] }
        : { hash: at.certificate.sha256 };
      const peer = async () => {
        const url = `${scheme}://localhost:${at.port}/live`;
        const connection = await dial(url, { protocols: named ? [alpn] : [], ...options });
        assert.equal(connection.protocol, named ? alpn : "");
        const setup = scheme === "moqt" ? { path: "/live" } : {};
        return await IetfPeer.client(connection, draft, { setup });
      };
      const publisher = await peer();
      await publisher.setup();
      const news = await publisher.ask("publishNamespace", { namespace: ns("room") });
      await news.expect("requestOk");
      const viewer = await peer();
      await viewer.setup();
      const filter = { kind: "next-object" } as const;
      const asked = { namespace: ns("room"), track, parameters: { filter } };
      const wish = await viewer.ask("subscribe", asked);
      const upstream = await publisher.asked("subscribe");
      upstream.say("subscribeOk", { alias: 7 });
      await wish.expect("subscribeOk");
      const sending = await publisher.subgroup({ alias: 7, group: 3 });
      sending.objects("abcd", { id: 5, payload: "ef" }).fin();
      const seen = await (await viewer.nextSubgroup()).done();
      assert.match(`${seen}`, /\/3\/0 p128 \[0=abcd 5=ef\] fin$/, name);
      const { sessions } = await at.api<{ sessions: { version: string; root: string }[] }>(
        "/api/v1/sessions",
      );
      const shown = sessions.filter((one) => one.version === name && one.root === "live");
      assert.equal(shown.length, 2, name);
      publisher.connection.close();
      viewer.connection.close();
      await Promise.all([publisher.connection.closed, viewer.connection.closed]);
    }
  });
}

/** Which protocol a connection gets that offers these. */
async function chosen(at: Launched, scheme: string, protocols: readonly string[]): Promise<string> {
  const trust = scheme === "wss"
    ? { caCerts: [at.certificate.cert] }
    : { hash: at.certificate.sha256 };
  const connection = await dial(`${scheme}://localhost:${at.port}/`, { protocols, ...trust });
  connection.close();
  return connection.protocol;
}

Deno.test("who lists its versions gets its first one, and on raw QUIC the server's first one", async () => {
  await using at = await launch();
  const offer = ["moqt-99", "moqt-14", "moqt-20", "moqt-16", "moq-lite-05", "moqt-18"];
  assert.equal(await chosen(at, "https", offer), "moqt-20");
  assert.equal(await chosen(at, "wss", offer), "moqt-20");
  assert.equal(await chosen(at, "moqt", offer), "moq-lite-05");
  assert.equal(await chosen(at, "moqt", ["moq-00", "moqt-22", "moqt-16", "moqt-18"]), "moqt-18");
  assert.equal(await chosen(at, "https", []), "");
  assert.equal(await chosen(at, "wss", ["moq-00"]), "moq-00");
});

Deno.test("who lists nothing that is spoken gets 400, or no connection", async () => {
  await using at = await launch({ flags: { "server.versions": "moq-lite-06,moq-transport-16" } });
  const refused = (error: Error) => error instanceof RequestRefused && error.status === 400;
  await assert.rejects(chosen(at, "https", ["moqt-18", "moqt-22"]), refused);
  await assert.rejects(chosen(at, "wss", ["moqt-18"]), HandshakeFailed);
  await assert.rejects(chosen(at, "moqt", ["moqt-18"]), ProtocolRefused);
  assert.equal(await chosen(at, "https", ["moqt-18", "moqt-16"]), "moqt-16");
});

Deno.test("a path or an authority beside that of the URL is a violation", async () => {
  await using at = await launch();
  for (const draft of [14, 16, 18] as const) {
    for (const [setup, code] of [[{ path: "/x" }, 8], [{ authority: "x" }, 0x19]] as const) {
      const url = `https://localhost:${at.port}/`;
      const peer = await IetfPeer.dial(url, draft, { hash: at.certificate.sha256, setup });
      assert.equal((await peer.connection.closed).code, code);
    }
  }
});

Deno.test("a token in SETUP lets in as one in the URL does", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, JSON.stringify(KEY));
  await using at = await launch({ flags: { "auth.key_file": file } });
  const value = new TextEncoder().encode(TOKEN);
  for (const scheme of ["moqt", "https"]) {
    for (const draft of [14, 16, 18] as const) {
      const url = `${scheme}://localhost:${at.port}/rooms/123`;
      const hash = at.certificate.sha256;
      const setup = scheme === "moqt" ? { path: "/rooms/123" } : {};
      const tokens = [{ kind: "value", type: 0, value }] as const;
      const peer = await IetfPeer.dial(url, draft, { hash, setup: { ...setup, tokens } });
      await peer.setup();
      const news = await peer.ask("publishNamespace", { namespace: ns("alice") });
      await news.expect("requestOk");
      const other = await peer.ask("publishNamespace", { namespace: ns("bob") });
      await other.expect("requestError");
      peer.connection.close();
      for (const wrong of [[], [{ ...tokens[0], value: value.slice(0, -4) }]]) {
        const stranger = await IetfPeer.dial(url, draft, {
          hash,
          setup: { ...setup, tokens: wrong },
        });
        assert.equal((await stranger.connection.closed).code, 2);
      }
    }
  }
  await Deno.remove(file);
});

Deno.test("an auth server is asked for a token in SETUP too", async () => {
  const asked: string[] = [];
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const { event, query = "" } = await request.json();
      if (event === "connect") asked.push(query);
      if (query !== "jwt=secret") return new Response(null, { status: 401 });
      return Response.json({ publish: ["**"], subscribe: ["**"] });
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}/`;
  await using at = await launch({ flags: { "auth.server_url": url } });
  const value = new TextEncoder().encode("secret");
  const hash = at.certificate.sha256;
  for (const scheme of ["moqt", "https"]) {
    const setup = { tokens: [{ kind: "value", type: 0, value }] } as const;
    const peer = await IetfPeer.dial(`${scheme}://localhost:${at.port}/`, 18, { hash, setup });
    const news = await peer.ask("publishNamespace", { namespace: ns("room") });
    await news.expect("requestOk");
    peer.connection.close();
    const stranger = await IetfPeer.dial(`${scheme}://localhost:${at.port}/`, 18, { hash });
    assert.equal((await stranger.connection.closed).code, 2);
  }
  assert.deepEqual(asked, ["jwt=secret", "", "", "jwt=secret", ""]);
});

Deno.test("a request that is given up over QUIC, which has no reset here, ends at both sides", async () => {
  await using at = await launch();
  const { relay } = at.server;
  for (const { name } of PROFILES) {
    await using publisher = await at.client("moqt", { versions: [name] });
    await using viewer = await at.client("moqt", { versions: [name] });
    const broadcast = publisher.publish("room");
    const producer = broadcast.track("v");
    let watched = false;
    producer.onsubscribed = (any) => watched = any;
    const news = viewer.announced("room");
    assert.equal((await news.next())?.active, true);
    const subscription = viewer.subscribe("room", "v");
    await until(() => watched, `a subscription in ${name}`);
    subscription.close();
    const served = () => [...relay.sessions()].map(({ session }) => session.servedCount);
    await until(
      () => served().every((count) => count === 0),
      `the end of it at the relay in ${name}`,
    );
    await until(() => !watched, `the end of it at the publisher in ${name}`);
    broadcast.close();
    assert.equal((await news.next())?.active, false);
  }
});

Deno.test("the metrics name the draft of a session", async () => {
  await using at = await launch();
  await using _viewer = await at.client("moqt", { versions: ["moq-transport-18"] });
  const metrics = await (await fetch(`${at.adminUrl}/metrics`)).text();
  assert.match(metrics, /^qumo_sessions\{transport="quic",version="moq-transport-18"\} 1$/m);
});
