import assert from "node:assert/strict";
import { RTCPeerConnection, RTCRtpCodecParameters } from "werift";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import type { BroadcastProducer } from "../../client/mod.ts";
import { until as untilIn } from "../../tests/support/server.ts";
import { HELD, LOCAL, WebRtcUnderTest } from "../../tests/support/pages/webrtc.ts";
import { webrtc } from "../egress/webrtc/mod.ts";
import { encodeLegacyFrame } from "../../media/hang/legacy_frame.ts";

/** A busy machine takes its time. */
const until = (done: () => boolean | Promise<boolean>, what: string) => untilIn(done, what, 60_000);
const SDP = { "content-type": "application/sdp" };
const FRAGMENT = "application/trickle-ice-sdpfrag";

/** A viewer that is no browser. */
function viewer(mimeType = "video/VP8") {
  const pc = new RTCPeerConnection({
    iceServers: [],
    iceUseIpv4: false,
    iceUseIpv6: false,
    iceAdditionalHostAddresses: ["127.0.0.1"],
    codecs: {
      video: [
        new RTCRtpCodecParameters({
          mimeType,
          clockRate: 90_000,
          rtcpFeedback: [{ type: "nack", parameter: "pli" }],
        }),
      ],
      audio: [],
    },
  });
  const received: { keyframe: boolean; timestamp: number; sequence: number }[] = [];
  const { receiver } = pc.addTransceiver("video", { direction: "recvonly" });
  pc.onTrack.subscribe((track) => {
    track.onReceiveRtp.subscribe(({ header, payload }) => {
      // Behind the descriptor of four bytes the lowest bit tells (RFC 7741, 4.3).
      const keyframe = (payload[0]! & 0x10) !== 0 && (payload[4]! & 1) === 0;
      received.push({ keyframe, timestamp: header.timestamp, sequence: header.sequenceNumber });
    });
  });
  return {
    pc,
    received,
    askForKeyframe: () => receiver.sendRtcpPLI(receiver.tracks[0]!.ssrc!),
    async offer(): Promise<string> {
      await pc.setLocalDescription(await pc.createOffer());
      return pc.localDescription!.sdp;
    },
  };
}

/** A broadcast of VP8 in which every group is four frames. */
class Picture implements Disposable {
  readonly #video;
  #frames = 0;
  #group: { write(payload: Uint8Array): void; close(): void } | undefined;

  constructor(readonly broadcast: BroadcastProducer, codec = "vp8") {
    const renditions = { video0: { codec, container: { kind: "legacy" } } };
    broadcast.track("catalog.json").write(JSON.stringify({ video: { renditions } }));
    this.#video = broadcast.track("video0");
    this.next();
  }

  next(count = 1): void {
    for (let i = 0; i < count; i++) {
      const at = this.#frames++;
      if (at % 4 === 0) {
        this.#group?.close();
        this.#group = this.#video.group();
      }
      const payload = Uint8Array.from([at % 4 === 0 ? 0 : 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      this.#group!.write(encodeLegacyFrame(at * 33_333, payload));
    }
  }

  [Symbol.dispose](): void {
    this.broadcast.close();
  }
}

async function started(config = {}, ctx = {}) {
  const under = new WebRtcUnderTest();
  const run = await under.start(webrtc.create(), { ...LOCAL, wait: "30s", ...config }, ctx);
  await until(() => under.routes.find("/whep/x") !== undefined, "the route");
  const client = await under.relay.client();
  return {
    under,
    run,
    picture: (path = "live/cam", codec?: string) => new Picture(client.publish(path), codec),
    post: (path: string, body: string, headers: HeadersInit = SDP) =>
      fetch(under.url(`/whep/${path}`), { method: "POST", headers, body }),
    async [Symbol.asyncDispose]() {
      await client.close();
      await under[Symbol.asyncDispose]();
    },
  };
}

Deno.test("WHEP answers what it refuses with the status and a sentence", async () => {
  await using at = await started();
  using _h265 = at.picture("h265", "hvc1.1.6.L93.B0");
  using _vp8 = at.picture("vp8");
  const offer = await viewer().offer();
  const REFUSED: [string, string, HeadersInit, number, RegExp][] = [
    ["", offer, SDP, 404, /\/whep\/BROADCAST/],
    ["vp8", "hello", SDP, 400, /v=0/],
    ["vp8", "", SDP, 400, /v=0/],
    ["vp8", offer.replace(/a=ice-ufrag.*\r\n/, ""), SDP, 400, /ice-ufrag/],
    ["vp8", offer.replace("a=recvonly", "a=sendonly"), SDP, 400, /sendonly/],
    [
      "vp8",
      `${offer}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n`,
      SDP,
      400,
      /application/,
    ],
    ["vp8", offer, { "content-type": "text/plain" }, 415, /application\/sdp, not text\/plain/],
    ["vp8", `${offer}a=${"x".repeat(200_000)}\r\n`, SDP, 413, /too large/],
    ["vp8", offer.replace("VP8/90000", "H264/90000"), SDP, 406, /vp8, the offer takes H264/],
    ["vp8?video=video7", offer, SDP, 406, /none of it/],
    ["h265", offer, SDP, 406, /H\.265 .* transcode it to H\.264/],
    ["%ff", offer, SDP, 400, /percent-encoding/],
  ];
  for (const [path, body, headers, status, message] of REFUSED) {
    const answer = await at.post(path, body, headers);
    const text = await answer.text();
    assert.equal(answer.status, status, `${path}: ${text}`);
    assert.match(text, message);
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  }
  for (const method of ["GET", "HEAD", "PUT"]) {
    const answer = await fetch(at.under.url("/whep/vp8"), { method });
    await answer.body?.cancel();
    assert.equal(answer.status, 405);
    assert.match(answer.headers.get("allow")!, /POST/);
  }
  const options = await fetch(at.under.url("/whep/vp8"), { method: "OPTIONS" });
  assert.equal(options.status, 204);
  assert.equal(options.headers.get("accept-post"), "application/sdp");
  assert.match(options.headers.get("access-control-allow-headers")!, /authorization/);
  assert.deepEqual([at.under.failed, at.run.told], [[], []]);
});

Deno.test("WHEP waits a moment for a broadcast that is not there, and answers 404 then", async () => {
  await using at = await started({ wait: "100ms" });
  const answer = await at.post("nobody", await viewer().offer());
  assert.equal(answer.status, 404);
  assert.match(await answer.text(), /no broadcast "nobody"/);
});

Deno.test("WHEP asks whether a broadcast may be read, by the request", async () => {
  const asked: string[] = [];
  const hold = (request: Request, broadcast: string, role: string) => {
    asked.push(`${role} ${broadcast} ${request.headers.get("authorization")}`);
    const right = request.headers.get("authorization") === "Bearer right";
    return Promise.resolve(right ? HELD : undefined);
  };
  await using at = await started({}, { hold });
  using _picture = at.picture();
  const offer = await viewer().offer();
  const without = await at.post("live/cam", offer);
  assert.deepEqual([without.status, without.headers.get("www-authenticate")], [401, "Bearer"]);
  const wrong = await at.post("live/cam", offer, { ...SDP, authorization: "Bearer wrong" });
  assert.equal(wrong.status, 403);
  const right = await at.post("live/cam", offer, { ...SDP, authorization: "Bearer right" });
  assert.equal(right.status, 201);
  for (const answer of [without, wrong, right]) await answer.body?.cancel();
  assert.equal(asked[0], "read live/cam null");
});

Deno.test("A WHEP session begins with a keyframe, restarts at one when asked, and ends by DELETE", async () => {
  await using at = await started({ ice_servers: ["stun:stun.example:3478"] });
  using picture = at.picture();
  const one = viewer();
  const answer = await at.post("live/cam", await one.offer());
  const sdp = await answer.text();
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get("link"), '<stun:stun.example:3478>; rel="ice-server"');
  assert.match(sdp.split("\r\nm=")[0]!, /a=ice-lite/);
  assert.deepEqual([...new Set(sdp.match(/(?<=candidate:.* udp \d+ )\S+/g))], ["127.0.0.1"]);
  await one.pc.setRemoteDescription({ type: "answer", sdp });
  // What is published before the viewer is there is not lost for it: the group begins it.
  picture.next(2);
  await until(() => one.received.length >= 3, "the newest group");
  assert.deepEqual(one.received.map(({ keyframe }) => keyframe), [true, false, false]);
  picture.next(6);
  await until(() => one.received.length >= 9, "the next groups");
  const sequences = one.received.map(({ sequence }) =>
    sequence - one.received[0]!.sequence & 0xffff
  );
  assert.deepEqual(sequences, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  await until(async () => {
    await one.askForKeyframe();
    return one.received.slice(9).some(({ keyframe }) => keyframe);
  }, "a keyframe that nobody has sent");

  const session = at.under.url(answer.headers.get("location")!);
  const etag = answer.headers.get("etag")!;
  const patch = (headers: HeadersInit) =>
    fetch(session, { method: "PATCH", headers, body: "a=mid:0\r\na=end-of-candidates\r\n" });
  const type = { "content-type": FRAGMENT };
  assert.equal((await patch({ ...type, "if-match": etag })).status, 204);
  for (
    const [headers, status] of [
      [type, 428],
      [{ ...type, "if-match": '"other"' }, 412],
      [{ ...type, "if-match": "*" }, 422],
      [{ "if-match": etag, "content-type": "text/plain" }, 415],
    ] as const
  ) {
    const refused = await patch(headers);
    await refused.body?.cancel();
    assert.equal(refused.status, status);
  }
  assert.equal((await fetch(session, { method: "DELETE" })).status, 200);
  const again = await fetch(session, { method: "DELETE" });
  await again.body?.cancel();
  assert.equal(again.status, 404);
  assert.equal(at.run.told.at(-1), undefined);
  await one.pc.close();
});

Deno.test("Viewers of a broadcast share one subscription, which ends with the last; the broadcast's end closes them", async () => {
  await using at = await started({ max_sessions: 2 });
  const subscribed: string[] = [];
  const { client } = at.run.ctx;
  const subscribe = client.subscribe.bind(client);
  client.subscribe = (path, track, options) => {
    subscribed.push(track);
    return subscribe(path, track, options);
  };
  const picture = at.picture();
  const two = [viewer(), viewer()];
  for (const { pc, offer, received } of two) {
    const answer = await at.post("live/cam", await offer());
    await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    await until(() => received.length > 0, "a frame");
  }
  assert.deepEqual(subscribed, ["catalog.json", "video0"]);
  const third = await at.post("live/cam", await viewer().offer());
  assert.match(await third.text(), /All 2 sessions/);
  assert.deepEqual([third.status, third.headers.get("retry-after")], [503, "10"]);
  picture[Symbol.dispose]();
  await until(() => at.run.told.at(-1) === undefined, "the end of both");
  for (const { pc } of two) await pc.close();
});

Deno.test("A viewer that never comes, or is not heard of any more, is let go of", async () => {
  const clock = new ManualClock();
  await using at = await started({ ice_timeout: "5s" }, { clock });
  using _picture = at.picture();
  const answer = await at.post("live/cam", await viewer().offer());
  await answer.body?.cancel();
  assert.equal(at.run.told.at(-1), "1 watching");
  clock.advance(4_000);
  assert.equal(at.run.told.at(-1), "1 watching");
  clock.advance(1_000);
  await until(() => at.run.told.at(-1) === undefined, "the viewer to be forgotten");
});

Deno.test("Offers of one address that nothing comes of leave others their places, and are free again after 5 s", async () => {
  const clock = new ManualClock();
  const sizes = { max_sessions: 6, max_sessions_per_address: 3, ice_timeout: "5s" };
  await using at = await started(sizes, { clock });
  at.under.network = (request) => request.headers.get("x-network") ?? "";
  using _picture = at.picture();
  const offer = await viewer().offer();
  const statusOf = async (network: string) => {
    const answer = await at.post("live/cam", offer, { ...SDP, "x-network": network });
    return [answer.status, await answer.text()] as const;
  };
  const flood = await Promise.all(Array.from({ length: 20 }, () => statusOf("stranger")));
  assert.deepEqual(flood.filter(([status]) => status === 201).length, 3);
  const [refused, why] = flood.find(([status]) => status !== 201)!;
  assert.equal(refused, 429);
  assert.match(why, /All 3 sessions of this address/);
  assert.equal((await statusOf("somebody"))[0], 201);
  clock.advance(5_000);
  await until(() => at.run.told.at(-1) === undefined, "the places to be free");
  assert.equal((await statusOf("stranger"))[0], 201);
});

Deno.test("An offer that is not whole after 10 s is answered 408, and holds no place meanwhile", async () => {
  const clock = new ManualClock();
  await using at = await started({ max_sessions: 1 }, { clock });
  using _picture = at.picture();
  const offer = await viewer().offer();
  const { hostname, port, pathname } = new URL(at.under.url("/whep/live/cam"));
  using slow = await Deno.connect({ hostname, port: Number(port) });
  const head = `POST ${pathname} HTTP/1.1\r\nhost: x\r\ncontent-type: application/sdp\r\n`;
  await slow.write(new TextEncoder().encode(`${head}content-length: 1000\r\n\r\nv=0\r\n`));
  const whole = await at.post("live/cam", offer);
  assert.equal(whole.status, 201, await whole.text());
  const answer = new Uint8Array(1000);
  let read: number | null | undefined;
  void slow.read(answer).then((length) => read = length);
  await until(() => (clock.advance(1_000), read !== undefined), "the answer");
  assert.match(new TextDecoder().decode(answer), /^HTTP\/1\.1 408 /);
});

Deno.test("A WHEP session ends with the rights it was begun under", async () => {
  const lost = new AbortController();
  let ended = 0;
  const hold = () => Promise.resolve({ lost: lost.signal, end: () => void ended++ });
  await using at = await started({}, { hold });
  using _picture = at.picture();
  const answer = await at.post("live/cam", await viewer().offer());
  await answer.body?.cancel();
  assert.deepEqual([answer.status, ended, at.run.told.at(-1)], [201, 0, "1 watching"]);
  lost.abort(new Error("token revoked"));
  await until(() => at.run.told.at(-1) === undefined, "the session's end");
  assert.equal(ended, 1);
});
