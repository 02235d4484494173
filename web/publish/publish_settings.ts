/// <reference lib="dom" />
/** What the user chooses before going live; remembered. */
import type { DeviceChoice } from "./capture/devices.ts";
import { type SourceKind, SOURCES } from "./capture/capture_source.ts";
import { recall, remember } from "../parts/prefs.ts";

export interface PublishSettings {
  readonly name: string;
  readonly kind: SourceKind;
  readonly sound: boolean;
  readonly camera: DeviceChoice;
  readonly microphone: DeviceChoice;
  /** Lines of the picture. */
  readonly lines: number;
  /** Bits per second of the video, of its best quality. */
  readonly bitrate: number;
  /** Whether smaller qualities are offered besides. */
  readonly several: boolean;
}

/** Sizes of the picture with a fitting bitrate. */
export const SIZES: readonly { readonly lines: number; readonly bitrate: number }[] = [
  { lines: 360, bitrate: 800_000 },
  { lines: 540, bitrate: 1_500_000 },
  { lines: 720, bitrate: 2_500_000 },
  { lines: 1080, bitrate: 5_000_000 },
];

export const BITRATES: readonly number[] = [
  ...[400_000, 800_000, 1_500_000, 2_500_000, 5_000_000, 8_000_000],
];

export const FRAMES_PER_SECOND = 30;

export const widthOf = (lines: number) => Math.round(lines * 16 / 9 / 2) * 2;

export function storedSettings(): PublishSettings {
  const kind = recall<string>("publish.kind", "camera");
  const lines = recall("publish.lines", 720 as number);
  const bitrate = recall("publish.bitrate", 2_500_000 as number);
  return {
    name: recall<string>("publish.name", newName()),
    kind: SOURCES.find((known) => known === kind) ?? "camera",
    sound: recall<boolean>("publish.sound", true),
    camera: recall<string>("publish.camera", ""),
    microphone: recall<string>("publish.microphone", ""),
    several: recall<boolean>("publish.several", true),
    lines: SIZES.some((size) => size.lines === lines) ? lines : 720,
    bitrate: BITRATES.includes(bitrate) ? bitrate : 2_500_000,
  };
}

export function storeSettings(settings: PublishSettings): void {
  for (const [name, value] of Object.entries(settings)) remember(`publish.${name}`, value);
}

/** A name nobody else has taken, most likely. */
function newName(): string {
  const letters = "bcdfghjkmnpqrstvwxz";
  const random = crypto.getRandomValues(new Uint8Array(4));
  return `live-${[...random].map((byte) => letters[byte % letters.length]).join("")}`;
}
