/// <reference lib="dom" />
import type { Device, DeviceChoice, Devices } from "./devices.ts";

interface PickerProps {
  readonly devices: Devices;
  /** Whether a camera can be chosen, and whether a microphone. */
  readonly picture: boolean;
  readonly sound: boolean;
  readonly camera: DeviceChoice;
  readonly microphone: DeviceChoice;
  readonly locked: boolean;
  readonly onChange: (
    change: { readonly camera?: DeviceChoice; readonly microphone?: DeviceChoice },
  ) => void;
}

/** Chooses among cameras and microphones, where there is a choice. */
export function DevicePicker(props: PickerProps) {
  const { devices, picture, sound, camera, microphone, locked, onChange } = props;
  // A phone's cameras are told apart by the side they look at, even before the browser tells their names.
  const sides: readonly Device[] = navigator.maxTouchPoints > 0
    ? [{ id: "front", label: "Front camera" }, { id: "back", label: "Back camera" }]
    : [];
  const cameras = [...sides, ...devices.cameras];
  const microphones = devices.microphones;
  return (
    <>
      {picture && (cameras.length > 1 || camera !== "") && (
        <Choice
          id="camera"
          label="Camera"
          any="Any camera"
          {...{ devices: cameras, chosen: camera, locked }}
          onChange={(camera) => onChange({ camera })}
        />
      )}
      {sound && (microphones.length > 1 || microphone !== "") && (
        <Choice
          id="microphone"
          label="Microphone"
          any="Any microphone"
          {...{ devices: microphones, chosen: microphone, locked }}
          onChange={(microphone) => onChange({ microphone })}
        />
      )}
    </>
  );
}

interface ChoiceProps {
  readonly id: string;
  readonly label: string;
  readonly any: string;
  readonly devices: readonly Device[];
  readonly chosen: DeviceChoice;
  readonly locked: boolean;
  readonly onChange: (choice: DeviceChoice) => void;
}

function Choice({ id, label, any, devices, chosen, locked, onChange }: ChoiceProps) {
  const known = chosen === "" || devices.some((device) => device.id === chosen);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={chosen}
        disabled={locked}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      >
        <option value="">{any}</option>
        {devices.map((device) => <option key={device.id} value={device.id}>{device.label}</option>)}
        {!known && <option value={chosen}>The one chosen before</option>}
      </select>
    </div>
  );
}
