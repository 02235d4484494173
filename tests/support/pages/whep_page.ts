/** What a page does to watch by WHEP, and what it saw. For tests only. */
import type { Page } from "playwright-core";

export interface WhepSeen {
  readonly framesDecoded: number;
  readonly firstFrameMs: number;
  readonly size: readonly [number, number];
  readonly audioPackets: number;
  readonly location: string;
  readonly etag: string;
  readonly codec: string;
}

/** Watches until the picture has moved and sound has come, if it has to. The page keeps its `pc`. */
export async function watchWhep(page: Page, url: string, audio: boolean): Promise<WhepSeen> {
  await page.addScriptTag({ content: SCRIPT });
  return await page.evaluate(`watchWhep(${JSON.stringify(url)}, ${audio})`);
}

/** Publishes the fake camera and microphone by WHIP. @returns The codecs that were agreed on, and the session. */
export async function publishWhip(
  page: Page,
  url: string,
): Promise<{ readonly codecs: readonly string[]; readonly location: string }> {
  await page.addScriptTag({ content: SCRIPT });
  return await page.evaluate(`publishWhip(${JSON.stringify(url)})`);
}

/** Plain JavaScript: it runs in the page. */
const SCRIPT = String.raw`
globalThis.until = async (done, what) => {
  for (const giveUp = performance.now() + 60000; !await done();) {
    if (performance.now() > giveUp) {
      const all = globalThis.pc ? [...(await pc.getStats()).values()] : [];
      const told = all.filter((s) => /rtp|pair/.test(s.type));
      throw new Error("no " + what + ": " + globalThis.pc?.connectionState + " " + JSON.stringify(told));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
globalThis.stats = async (type, kind) =>
  [...(await pc.getStats()).values()].find((s) => s.type === type && s.kind === kind);
globalThis.offer = async (pc, url) => {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/sdp" },
    body: pc.localDescription.sdp,
  });
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(answer.status + " " + text);
  await pc.setRemoteDescription({ type: "answer", sdp: text });
  return answer;
};

globalThis.watchWhep = async (url, audio) => {
  const pc = globalThis.pc = new RTCPeerConnection();
  const video = document.createElement("video");
  video.muted = video.autoplay = true;
  document.body.append(video);
  const media = new MediaStream();
  pc.ontrack = ({ track }) => {
    media.addTrack(track);
    video.srcObject = media;
  };
  pc.addTransceiver("video", { direction: "recvonly" });
  pc.addTransceiver("audio", { direction: "recvonly" });
  await pc.setLocalDescription();
  const started = performance.now();
  const answer = await offer(pc, url);
  const canvas = document.createElement("canvas");
  const look = () => {
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0);
    return String(context.getImageData(0, 0, canvas.width, canvas.height).data);
  };
  await until(() => video.videoWidth > 0 && video.currentTime > 0, "picture");
  const firstFrameMs = performance.now() - started;
  const first = look();
  await until(() => look() !== first, "movement");
  if (audio) await until(async () => (await stats("inbound-rtp", "audio"))?.packetsReceived > 5, "sound");
  const seen = await stats("inbound-rtp", "video");
  return {
    framesDecoded: seen.framesDecoded,
    firstFrameMs,
    size: [video.videoWidth, video.videoHeight],
    audioPackets: (await stats("inbound-rtp", "audio"))?.packetsReceived ?? 0,
    location: answer.headers.get("location"),
    etag: answer.headers.get("etag"),
    codec: (await pc.getStats()).get(seen.codecId)?.mimeType,
  };
};

globalThis.publishWhip = async (url) => {
  const pc = globalThis.pc = new RTCPeerConnection();
  const camera = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 }, audio: true });
  for (const track of camera.getTracks()) pc.addTransceiver(track, { direction: "sendonly" });
  await pc.setLocalDescription();
  const answer = await offer(pc, url);
  const sent = async () =>
    [...(await pc.getStats()).values()].filter((s) => s.type === "outbound-rtp" && s.packetsSent > 0);
  await until(async () => (await sent()).length === 2, "packets of both");
  const stats = await pc.getStats();
  return {
    codecs: (await sent()).map((s) => stats.get(s.codecId).mimeType).sort(),
    location: answer.headers.get("location"),
  };
};
`;
