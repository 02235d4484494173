/** Runs in a page that has loaded hls.js as `Hls`: that player at a `<video>`, and its state. */
// deno-lint-ignore no-explicit-any
const { document, Hls } = globalThis as any;
let hls: InstanceType<typeof Hls> | undefined;
const failures: string[] = [];

function play(url: string): void {
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  hls = new Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.5 });
  // deno-lint-ignore no-explicit-any
  hls.on(Hls.Events.ERROR, (_: unknown, { details, fatal, reason, error }: any) => {
    failures.push(`${fatal ? "fatal " : ""}${details} ${reason ?? error?.message ?? ""}`);
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  video.play();
}

/** Its position, and the delay from a frame's arrival at the relay until it is shown, by the dates in the playlist. */
function state() {
  const video = document.querySelector("video");
  const shownAtMs = hls?.playingDate?.getTime();
  return {
    seconds: video.currentTime as number,
    frames: video.getVideoPlaybackQuality().totalVideoFrames as number,
    behindMs: shownAtMs === undefined ? -1 : Date.now() - shownAtMs,
    lowLatency: hls?.latestLevelDetails?.partList != null,
    audioTracks: hls?.audioTracks.length ?? 0,
    failures,
  };
}

/** One byte of red, green and blue for each of 32×18 fields. */
function picture(): number[] {
  const small = document.createElement("canvas");
  [small.width, small.height] = [32, 18];
  const context = small.getContext("2d");
  context.drawImage(document.querySelector("video"), 0, 0, 32, 18);
  const rgba: number[] = Array.from(context.getImageData(0, 0, 32, 18).data);
  return rgba.filter((_, i) => i % 4 !== 3);
}

export type HlsPage = { play: typeof play; state: typeof state; picture: typeof picture };
Object.assign(globalThis, { hlsPage: { play, state, picture } });
