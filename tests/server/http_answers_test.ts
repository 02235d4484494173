/**
 * Long answers of HTTP and an auth server, over real sockets. All requests of one viewer are one question to the auth server,
 * and all of them end when it takes the rights back.
 *
 * @module
 */
import assert from "node:assert/strict";
import { RTCPeerConnection, RTCRtpCodecParameters } from "werift";
import { encodeLegacyFrame } from "../../media/hang/legacy_frame.ts";
import { launch, until } from "../support/server.ts";

type Body = Record<string, unknown>;

/** An auth server. `grants` is its answer from now on. */
function authServer() {
  const bodies: Body[] = [];
  const its = { bodies, grants: true, url: "", close: () => server.shutdown() };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const body = await request.json() as Body;
    bodies.push(body);
    if (body["event"] === "end") return new Response(null, { status: 204 });
    if (!its.grants) return new Response(null, { status: 403 });
    const expires = Date.now() / 1000 + 60;
    return Response.json({ publish: ["**"], subscribe: ["**"], expires, revalidate: 0.2 });
  });
  its.url = `http://127.0.0.1:${server.addr.port}/`;
  return its;
}

const PLUGINS = JSON.stringify({
  plugins: [
    { name: "hls", kind: "egress", plugin: "hls" },
    {
      name: "whep",
      kind: "egress",
      plugin: "webrtc",
      options: { addresses: ["127.0.0.1"], audio: "opus", ice_timeout: "1m", timeout: "5m" },
    },
  ],
});

/** The body that a browser which only watches would post. */
async function offer(): Promise<string> {
  const codec = new RTCRtpCodecParameters({ mimeType: "video/VP8", clockRate: 90_000 });
  const pc = new RTCPeerConnection({ iceServers: [], codecs: { video: [codec], audio: [] } });
  pc.addTransceiver("video", { direction: "recvonly" });
  await pc.setLocalDescription(await pc.createOffer());
  const { sdp } = pc.localDescription!;
  await pc.close();
  return sdp;
}

Deno.test("What one viewer asks by HTTP is one question to the auth server, and ends when that takes its rights back", async () => {
  const auth = authServer();
  await using relay = await launch({ yaml: PLUGINS, flags: { "auth.server_url": auth.url } });
  const http = `http://127.0.0.1:${relay.port}`;
  await using publisher = await relay.client();
  const broadcast = publisher.publish("live/cam");
  const renditions = { video0: { codec: "vp8", container: { kind: "legacy" } } };
  broadcast.track("catalog.json").write(JSON.stringify({ video: { renditions } }));
  using group = broadcast.track("video0").group(); // it is never over
  group.write(encodeLegacyFrame(0, new Uint8Array([0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])));
  const { answers } = relay.server.relay;
  await until(() => relay.server.relay.origin.find("live/cam") !== undefined, "the broadcast");
  for (const name of ["hls", "whep"]) {
    await until(async () => {
      const { state } = await relay.api<{ state: string }>(`/api/v1/plugins/${name}`);
      return state === "running";
    }, `the plugin ${name}`);
  }
  const sessions = () => relay.api<{ reason: string | null }>("/api/v1/plugins/whep");

  auth.bodies.length = 0;
  const fetched = await fetch(`${http}/fetch/live/cam/video0`);
  const reader = fetched.body!.getReader();
  assert.equal((await reader.read()).done, false);
  let hls: Promise<Response> | undefined;
  // The answer is 404 until the plugin has heard of the broadcast. After that it waits for the first segment.
  for (hls = undefined; answers.size < 2;) {
    const asked = fetch(`${http}/hls/live/cam/master.m3u8`);
    let settled = false;
    asked.then((early) => early.body?.cancel(), () => {}).finally(() => settled = true);
    await until(() => settled || answers.size === 2, "HLS's answer");
    hls = asked;
    if (settled) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const headers = { "content-type": "application/sdp" };
  const posted = await fetch(`${http}/whep/live/cam`, {
    ...{ method: "POST", headers, body: await offer() },
  });
  assert.equal(posted.status, 201, await posted.text());
  assert.equal((await sessions()).reason, "1 watching");
  for (let i = 0; i < 20; i++) {
    const dvr = await fetch(`${http}/dvr/live/cam?at=${i}`);
    assert.equal(dvr.status, 200, await dvr.text());
  }
  const questions = auth.bodies.filter(({ event, transport }) =>
    event === "connect" && transport === "http"
  );
  assert.equal(questions.length, 1);
  assert.match(String(questions[0]!["remote"]), /^127\.0\.0\.1:\d+$/);
  assert.equal(questions[0]!["path"], "/live/cam");

  auth.grants = false;
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  });
  assert.equal((await hls!).status, 401);
  await until(async () => (await sessions()).reason === null, "the WebRTC session's end");
  const ended = (body: Body) => body["event"] === "end" && body["id"] === questions[0]!["id"];
  await until(() => auth.bodies.some(ended), "the auth server to hear of the end");
  assert.equal(auth.bodies.find(ended)!["reason"], "refused");
  // A flood of refused requests is one question too.
  auth.bodies.length = 0;
  const flood = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const answer = await fetch(`${http}/announced/live`);
      await answer.body?.cancel();
      return answer.status;
    }),
  );
  assert.deepEqual(new Set(flood), new Set([403]));
  const asked = auth.bodies.filter(({ path }) => path === "/live").map(({ event }) => event);
  assert.deepEqual(asked, ["connect"]);
  await auth.close();
});
