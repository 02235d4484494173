import assert from "node:assert/strict";
import { RTCPeerConnection, RTCRtpCodecParameters } from "werift";
import { until as untilIn } from "../../tests/support/server.ts";
import { HELD, LOCAL, WebRtcUnderTest } from "../../tests/support/pages/webrtc.ts";
import { whip } from "../ingress/whip/mod.ts";
import { LiveMedia } from "../../media/broadcast/live_media.ts";
import { packetizerOf } from "./rtp/packetize.ts";

/** A busy machine takes its time. */
const until = (done: () => boolean | Promise<boolean>, what: string) => untilIn(done, what, 60_000);
const SDP = { "content-type": "application/sdp" };
const VP8 = { kind: "video", name: "video0", codec: "vp8", container: "legacy" } as const;

/** A publisher that is no browser. */
function publisher(mimeType: string, direction: "sendonly" | "recvonly" = "sendonly") {
  const pc = new RTCPeerConnection({
    iceServers: [],
    iceUseIpv4: false,
    iceUseIpv6: false,
    iceAdditionalHostAddresses: LOCAL.addresses,
    codecs: { video: [new RTCRtpCodecParameters({ mimeType, clockRate: 90_000 })], audio: [] },
  });
  const { sender } = pc.addTransceiver("video", { direction });
  const packetize = packetizerOf(VP8);
  let sequence = 0;
  return {
    pc,
    async offer(): Promise<string> {
      await pc.setLocalDescription(await pc.createOffer());
      return pc.localDescription!.sdp;
    },
    async picture(at: number): Promise<void> {
      const keyframe = at % 4 === 0;
      const payload = Uint8Array.from([keyframe ? 0 : 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, at]);
      for (const packet of packetize({ payload, keyframe })) {
        packet.header.sequenceNumber = sequence++;
        packet.header.timestamp = at * 3000;
        await sender.sendRtp(packet);
      }
    },
  };
}

Deno.test("WHIP refuses with the status and a sentence, and takes one publisher at a time", async () => {
  await using under = new WebRtcUnderTest();
  const asked: string[] = [];
  const hold = (request: Request, broadcast: string, role: string) => {
    asked.push(`${role} ${broadcast}`);
    const right = new URL(request.url).searchParams.get("jwt") === "right";
    return Promise.resolve(right ? HELD : undefined);
  };
  await under.start(whip.create(), { ...LOCAL, video: ["vp8"] }, { hold });
  await until(() => under.routes.find("/whip/x") !== undefined, "the route");
  const post = async (path: string, body: string): Promise<[number, string, Headers]> => {
    const answer = await fetch(under.url(path), { method: "POST", headers: SDP, body });
    return [answer.status, await answer.text(), answer.headers];
  };
  const offer = await publisher("video/VP8").offer();
  assert.equal((await post("/whip/cam", offer))[0], 401);
  assert.equal((await post("/whip/cam?jwt=wrong", offer))[0], 403);
  const receiving = await publisher("video/VP8", "recvonly").offer();
  assert.match(
    (await post("/whip/cam?jwt=right", receiving)).join(),
    /^400,.*recvonly, not sendonly/,
  );
  const h264 = await publisher("video/H264").offer();
  assert.match((await post("/whip/cam?jwt=right", h264)).join(), /^406,.*only VP8 and Opus/);
  const [status, , headers] = await post("/whip/cam?jwt=right", offer);
  assert.equal(status, 201);
  const second = await publisher("video/VP8").offer();
  for (const spelling of ["/whip/cam", "/whip/%2Fcam", "/whip//cam%2F", "//whip/c%61m"]) {
    assert.match((await post(`${spelling}?jwt=right`, second)).join(), /^409,/, spelling);
  }
  await fetch(under.url(headers.get("location")!), { method: "DELETE" });
  const [again] = await post("/whip/cam?jwt=right", second);
  assert.equal(again, 201);
  assert.deepEqual([new Set(asked), under.failed], [new Set(["publish cam"]), []]);
});

Deno.test("A WHIP broadcast is live with the first keyframe, a group for each, and gone with its publisher", async () => {
  await using under = new WebRtcUnderTest();
  const run = await under.start(whip.create(), LOCAL);
  await until(() => under.routes.find("/whip/x") !== undefined, "the route");
  const one = publisher("video/VP8");
  const answer = await fetch(under.url("/whip/live/cam"), {
    ...{ method: "POST", headers: SDP, body: await one.offer() },
  });
  await one.pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  await until(() => one.pc.connectionState === "connected", "the connection");
  const client = await under.relay.client();
  using news = client.announced("live/cam");
  // It begins in the middle of a group: nothing of that one can be decoded.
  let at = 1;
  const sending = setInterval(() => void one.picture(at++), 20);
  try {
    assert.equal((await news.next())?.active, true);
    const live = new LiveMedia(client, "live/cam");
    reading: for await (const [picture] of live.catalogs()) {
      assert.deepEqual([picture?.kind, picture?.codec], ["video", "vp8"]);
      let frames = 0;
      for await (const { payload, keyframe, index } of live.frames(picture!)) {
        assert.equal(keyframe, payload[10]! % 4 === 0);
        assert.equal(index, payload[10]! % 4);
        if (++frames === 10) break reading;
      }
    }
  } finally {
    clearInterval(sending);
  }
  await fetch(under.url(answer.headers.get("location")!), { method: "DELETE" });
  assert.equal((await news.next())?.active, false);
  assert.equal(run.told.at(-1), undefined);
  await one.pc.close();
  await client.close();
});
