import { deviceInput } from "../../ffmpeg/input.ts";
import { SourceFailed } from "../ingest.ts";

/** The format that a camera is asked for. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly framerate: number;
}

/** Options of ffmpeg that open a device. */
export interface InputDevice {
  readonly what: string;
  readonly input: readonly string[];
}

/** Names the test picture and the test tone of ffmpeg. */
export const TEST = "test";

/** What ffmpeg calls the cameras of each system, and how a device is named there. */
const CAMERAS: Readonly<Record<string, { readonly format: string; readonly first: string }>> = {
  linux: { format: "v4l2", first: "/dev/video0" },
  darwin: { format: "avfoundation", first: "0" },
  windows: { format: "dshow", first: "" },
};

/** The camera of this name. "auto" is the first camera, or the test picture when there is none. */
export function cameraOf(
  device: string,
  picture: Picture,
  os: string = Deno.build.os,
): InputDevice {
  const { width, height, framerate } = picture;
  const size = `${width}x${height}`;
  if (device === "auto") return cameraOf(firstCamera(os) ?? TEST, picture, os);
  if (device === TEST) {
    const source = `testsrc2=size=${size}:rate=${framerate}`;
    return { what: "the test picture", input: ["-re", ...deviceInput("lavfi", [], source)] };
  }
  const camera = CAMERAS[os];
  if (camera === undefined) {
    throw new SourceFailed(`Cannot open ${device}: cameras are not known on ${os}`);
  }
  const name = os === "windows" ? `video=${device}` : os === "darwin" ? `${device}:none` : device;
  return {
    what: `the camera ${device}`,
    input: deviceInput(camera.format, [
      ...["-thread_queue_size", "64", "-framerate", String(framerate), "-video_size", size],
    ], name),
  };
}

/** The microphone of this name. "test" is a tone. */
export function microphoneOf(device: string, os: string = Deno.build.os): InputDevice {
  if (device === TEST) {
    const source = "sine=frequency=440:sample_rate=48000";
    return { what: "the test tone", input: ["-re", ...deviceInput("lavfi", [], source)] };
  }
  const format = os === "darwin" ? "avfoundation" : os === "windows" ? "dshow" : "pulse";
  const name = os === "darwin" ? `:${device}` : os === "windows" ? `audio=${device}` : device;
  const what = `the microphone ${device}`;
  return { what, input: deviceInput(format, ["-thread_queue_size", "512"], name) };
}

/** Only Linux lists its cameras as files. */
function firstCamera(os: string): string | undefined {
  if (os !== "linux") return CAMERAS[os]?.first || undefined;
  try {
    const names = Array.from(Deno.readDirSync("/dev"), ({ name }) => name);
    const numbers = names.flatMap((name) => /^video(\d+)$/.exec(name)?.[1] ?? []).map(Number);
    return numbers.length === 0 ? undefined : `/dev/video${Math.min(...numbers)}`;
  } catch { // There is no /dev to look into.
    return undefined;
  }
}
