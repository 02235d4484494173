/** Runs in a page that has loaded Shaka Player as `shaka`: that player at a `<video>`, and its state. */
// deno-lint-ignore no-explicit-any
const { document, shaka } = globalThis as any;
const failures: string[] = [];

/** @param version Of moq-transport: "draft-14", "draft-16" or "auto". */
async function play(relay: string, broadcast: string, version: string): Promise<void> {
  shaka.polyfill.installAll();
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const player = new shaka.Player();
  await player.attach(video);
  // deno-lint-ignore no-explicit-any
  player.addEventListener("error", ({ detail }: any) => {
    failures.push(`${detail.code} ${detail.data}`);
  });
  player.configure("manifest.msf", {
    fingerprintUri: new URL("/certificate.sha256", relay).href,
    namespaces: broadcast.split("/"),
    version,
  });
  try {
    await player.load(relay.replace("http:", "https:"), null, "application/msf");
  } catch (error) {
    // Its errors are no `Error`, and have numbers in place of words.
    const { code, data } = error as { code: number; data: unknown };
    throw new Error(`Shaka error ${code}: ${data}`);
  }
  video.play();
}

function state() {
  const video = document.querySelector("video");
  return {
    seconds: video.currentTime as number,
    width: video.videoWidth as number,
    frames: video.getVideoPlaybackQuality().totalVideoFrames as number,
    soundBytes: video.webkitAudioDecodedByteCount as number,
    failures,
  };
}

export type ShakaPage = { play: typeof play; state: typeof state };
Object.assign(globalThis, { shakaPage: { play, state } });
