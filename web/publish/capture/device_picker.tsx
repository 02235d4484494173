/// <reference lib="dom" />
import type { Device, DeviceChoice } from "./devices.ts";

interface PickerProps {
  readonly devices: readonly Device[];
  readonly chosen: DeviceChoice;
  readonly locked: boolean;
  readonly onChange: (choice: DeviceChoice) => void;
}

/** Chooses a camera, where there is a choice. */
export function CameraPicker(props: PickerProps) {
  // A phone's cameras differ by their side, even before the browser gives their names.
  const sides: readonly Device[] = navigator.maxTouchPoints > 0
    ? [{ id: "front", label: "Front camera" }, { id: "back", label: "Back camera" }]
    : [];
  const devices = [...sides, ...props.devices];
  return <Choice id="camera" label="Camera" any="Any camera" {...props} devices={devices} />;
}

/** Chooses a microphone, where there is a choice. */
export function MicrophonePicker(props: PickerProps) {
  return <Choice id="microphone" label="Microphone" any="Any microphone" {...props} />;
}

interface ChoiceProps extends PickerProps {
  readonly id: string;
  readonly label: string;
  readonly any: string;
}

function Choice({ id, label, any, devices, chosen, locked, onChange }: ChoiceProps) {
  if (devices.length < 2 && chosen === "") return null;
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
