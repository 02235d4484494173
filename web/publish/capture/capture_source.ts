/// <reference lib="dom" />
/** Where picture and sound come from, and what the page says when they do not come. */
import { reasonOf } from "../../../base/errors.ts";
import { type DeviceChoice, deviceConstraint } from "./devices.ts";
import { startPattern } from "./test_pattern.ts";

export const SOURCES = ["camera", "microphone", "screen", "pattern"] as const;
export type SourceKind = (typeof SOURCES)[number];

export interface SourceOptions {
  readonly kind: SourceKind;
  /** Sound besides the picture. */
  readonly sound: boolean;
  readonly camera: DeviceChoice;
  readonly microphone: DeviceChoice;
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

/** An open source. Stop it in the end: the camera's light stays on until then. */
export interface CaptureSource {
  readonly stream: MediaStream;
  /** What is missing, as a sentence. */
  readonly note?: string;
  stop(): void;
}

/** No media came. The message is a sentence for the user. */
export class SourceProblem extends Error {
  override readonly name = "SourceProblem";
}

/** Opens a source; the browser may ask the user first. @throws {SourceProblem} */
export async function openSource(options: SourceOptions): Promise<CaptureSource> {
  try {
    return await openChosen(options);
  } catch (error) {
    const { camera, microphone } = options;
    // The chosen device was unplugged. Another one is better than none.
    const gone = error instanceof SourceProblem && isNamed(error.cause, "OverconstrainedError");
    if (!gone || camera === "" && microphone === "") throw error;
    const source = await openChosen({ ...options, camera: "", microphone: "" });
    return {
      ...source,
      note: `The chosen device is not there: another was taken. ${source.note ?? ""}`,
    };
  }
}

async function openChosen(options: SourceOptions): Promise<CaptureSource> {
  const { kind, sound, width, height, framesPerSecond } = options;
  if (kind === "pattern") return startPattern(options);
  const { mediaDevices } = navigator;
  if (mediaDevices === undefined) {
    throw new SourceProblem(
      "Browsers give devices to https:// pages and to localhost only. Open this page in one of these ways.",
    );
  }
  const video = {
    width: { ideal: width },
    height: { ideal: height },
    frameRate: { ideal: framesPerSecond },
  };
  const audio = options.microphone === "" ? true : deviceConstraint(options.microphone);
  try {
    if (kind === "screen") {
      return opened(await mediaDevices.getDisplayMedia({ video, audio: sound }), sound);
    }
    if (kind === "microphone") {
      return opened(await mediaDevices.getUserMedia({ audio }), true);
    }
    const chosen = { ...video, ...deviceConstraint(options.camera) };
    if (!sound) return opened(await mediaDevices.getUserMedia({ video: chosen }), false);
    try {
      return opened(await mediaDevices.getUserMedia({ video: chosen, audio }), true);
    } catch (error) {
      // A camera without a microphone is better than nothing.
      if (!isNamed(error, "NotFoundError")) throw error;
      return opened(await mediaDevices.getUserMedia({ video: chosen }), true);
    }
  } catch (error) {
    throw new SourceProblem(sourceSentence(kind, error), { cause: error });
  }
}

function opened(stream: MediaStream, wantsSound: boolean): CaptureSource {
  const silent = wantsSound && stream.getAudioTracks().length === 0;
  return {
    stream,
    ...(silent && { note: "There is no sound: no microphone was found, or none was shared." }),
    stop: () => stream.getTracks().forEach((track) => track.stop()),
  };
}

const NAMES: Readonly<Record<SourceKind, string>> = {
  camera: "camera",
  microphone: "microphone",
  screen: "screen",
  pattern: "test pattern",
};

/** What a failure of `getUserMedia()` or `getDisplayMedia()` means, and what to do about it. */
export function sourceSentence(kind: SourceKind, error: unknown): string {
  const name = NAMES[kind];
  const else_ = "or take the test pattern.";
  if (isNamed(error, "NotAllowedError", "SecurityError")) {
    return kind === "screen"
      ? `Nothing was shared. Choose a window or a screen when the browser asks, ${else_}`
      : `The ${name} was refused. Allow it for this page in the browser's address bar and try again, ${else_}`;
  }
  if (isNamed(error, "NotFoundError", "OverconstrainedError")) {
    return `No ${name} was found. Plug one in and try again, ${else_}`;
  }
  if (isNamed(error, "NotReadableError", "AbortError")) {
    return `The ${name} cannot be read: another program may be using it. Close that and try again, ${else_}`;
  }
  const reason = reasonOf(error);
  return `The ${name} could not be opened (${reason}). Try again, ${else_}`;
}

function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}
