/// <reference lib="dom" />
import { CameraPicker, MicrophonePicker } from "./capture/device_picker.tsx";
import type { Devices } from "./capture/devices.ts";
import { bitRate } from "../parts/format.ts";
import { Icon, type IconName } from "../parts/icons.tsx";
import { ladder } from "./encode/quality_ladder.ts";
import type { SourceKind } from "./capture/capture_source.ts";
import { BITRATES, type PublishSettings, SIZES, widthOf } from "./publish_settings.ts";

interface FormProps {
  readonly settings: PublishSettings;
  readonly devices: Devices;
  readonly onChange: (change: Partial<PublishSettings>) => void;
  /** What is wrong with the name. */
  readonly nameProblem: string | undefined;
  /** While it is live nothing can be changed. */
  readonly locked: boolean;
}

const CHOICES: readonly (readonly [SourceKind, IconName, string])[] = [
  ["camera", "camera", "Camera"],
  ["screen", "screen", "Screen"],
  ["microphone", "mic", "Sound only"],
  ["pattern", "pattern", "Test pattern"],
];

/** What is published, and how. */
export function PublishForm({ settings, devices, onChange, nameProblem, locked }: FormProps) {
  const { name, kind, sound, lines, bitrate, several } = settings;
  const pictureless = kind === "microphone";
  return (
    <form class="form" onSubmit={(event) => event.preventDefault()}>
      <div class="field">
        <label for="name">Name of the broadcast</label>
        <input
          id="name"
          type="text"
          value={name}
          disabled={locked}
          autocomplete="off"
          spellcheck={false}
          aria-invalid={nameProblem !== undefined}
          aria-describedby="name-note"
          onInput={({ currentTarget }) => onChange({ name: currentTarget.value })}
        />
        <small id="name-note" role="status">
          {nameProblem ?? "Viewers find it by this name."}
        </small>
      </div>
      <fieldset disabled={locked}>
        <legend>Source</legend>
        <div class="choices">
          {CHOICES.map(([value, icon, label]) => (
            <label class="choice" key={value}>
              <input
                type="radio"
                name="source"
                value={value}
                checked={kind === value}
                onChange={() => onChange({ kind: value })}
              />
              <Icon name={icon} />
              {label}
            </label>
          ))}
        </div>
      </fieldset>
      {kind === "camera" && (
        <CameraPicker
          devices={devices.cameras}
          chosen={settings.camera}
          locked={locked}
          onChange={(camera) => onChange({ camera })}
        />
      )}
      {!pictureless && (
        <label class="check">
          <input
            id="sound"
            type="checkbox"
            checked={sound}
            disabled={locked}
            onChange={({ currentTarget }) => onChange({ sound: currentTarget.checked })}
          />
          {SOUND[kind]}
        </label>
      )}
      {(pictureless || kind === "camera" && sound) && (
        <MicrophonePicker
          devices={devices.microphones}
          chosen={settings.microphone}
          locked={locked}
          onChange={(microphone) => onChange({ microphone })}
        />
      )}
      {!pictureless && (
        <div class="pair">
          <div class="field">
            <label for="lines">Picture</label>
            <select
              id="lines"
              value={lines}
              disabled={locked}
              onChange={({ currentTarget }) => {
                const size = SIZES.find((size) => size.lines === Number(currentTarget.value))!;
                onChange(size);
              }}
            >
              {SIZES.map(({ lines }) => (
                <option key={lines} value={lines}>{`${widthOf(lines)} × ${lines}`}</option>
              ))}
            </select>
          </div>
          <div class="field">
            <label for="bitrate">Bitrate</label>
            <select
              id="bitrate"
              value={bitrate}
              disabled={locked}
              onChange={({ currentTarget }) => onChange({ bitrate: Number(currentTarget.value) })}
            >
              {BITRATES.map((bits) => <option key={bits} value={bits}>{bitRate(bits)}</option>)}
            </select>
          </div>
        </div>
      )}
      {!pictureless && (
        <label class="check">
          <input
            id="several"
            type="checkbox"
            checked={several}
            disabled={locked}
            aria-describedby="several-note"
            onChange={({ currentTarget }) => onChange({ several: currentTarget.checked })}
          />
          Smaller qualities besides
        </label>
      )}
      {!pictureless && (
        <small id="several-note">
          {several
            ? `Viewers get ${offered(lines)}, as their connection and screen allow.`
            : "Every viewer gets the same picture."}
        </small>
      )}
    </form>
  );
}

/** The qualities of a picture of so many lines: "720p, 360p or 180p". */
function offered(lines: number): string {
  const names = ladder({ width: widthOf(lines), height: lines, bitrate: 0 })
    .map(({ height }) => `${height}p`);
  return [names.slice(0, -1).join(", "), names.at(-1)].filter(Boolean).join(" or ");
}

const SOUND: Readonly<Record<SourceKind, string>> = {
  camera: "With the microphone",
  screen: "With the sound of the screen, if the browser can share it",
  microphone: "",
  pattern: "With a beep every second",
};
