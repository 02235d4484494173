/// <reference lib="dom" />
/** Cameras and microphones to choose from. Browsers tell their names only after the user has let the page use one. */
import { useEffect, useState } from "preact/hooks";
import { visible } from "../../../base/visible_text.ts";

export interface Device {
  readonly id: string;
  readonly label: string;
}

export interface Devices {
  readonly cameras: readonly Device[];
  readonly microphones: readonly Device[];
}

/** What the user has chosen: "" for any, "front" or "back" for the side of a phone, else the id of a device. */
export type DeviceChoice = string;

const FACING: Readonly<Record<string, string>> = { front: "user", back: "environment" };

/** The part of a constraint that asks for what was chosen. */
export function deviceConstraint(choice: DeviceChoice): MediaTrackConstraints {
  if (choice === "") return {};
  const facing = FACING[choice];
  return facing === undefined ? { deviceId: { exact: choice } } : { facingMode: { ideal: facing } };
}

/** Sorts the browser's list. It leaves out devices without an id, and numbers those without a name. */
export function devicesFrom(
  infos: readonly Pick<MediaDeviceInfo, "kind" | "deviceId" | "label">[],
): Devices {
  const pick = (kind: MediaDeviceKind, noun: string) =>
    infos.filter((info) => info.kind === kind && info.deviceId !== "")
      .map(({ deviceId, label }, i) => ({
        id: deviceId,
        label: visible(label.trim()) || `${noun} ${i + 1}`,
      }));
  return { cameras: pick("videoinput", "Camera"), microphones: pick("audioinput", "Microphone") };
}

/** What is plugged in. @param stream The one in use: with it the browser tells more. */
export function useDevices(stream: MediaStream | undefined): Devices {
  const [devices, setDevices] = useState<Devices>({ cameras: [], microphones: [] });
  useEffect(() => {
    // Absent on pages that are not secure.
    const { mediaDevices } = navigator as { mediaDevices?: MediaDevices };
    if (mediaDevices === undefined) return;
    let over = false;
    const look = () =>
      mediaDevices.enumerateDevices().then(
        (infos) => over || setDevices(devicesFrom(infos)),
        () => {}, // A browser that tells nothing offers nothing to choose from.
      );
    void look();
    mediaDevices.addEventListener("devicechange", look);
    return () => {
      over = true;
      mediaDevices.removeEventListener("devicechange", look);
    };
  }, [stream]);
  return devices;
}
