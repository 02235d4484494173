import assert from "node:assert/strict";
import { deviceConstraint, devicesFrom } from "./devices.ts";

Deno.test("deviceConstraint() asks for a side of the phone, for one device, or for any", () => {
  assert.deepEqual(deviceConstraint(""), {});
  assert.deepEqual(deviceConstraint("front"), { facingMode: { ideal: "user" } });
  assert.deepEqual(deviceConstraint("back"), { facingMode: { ideal: "environment" } });
  assert.deepEqual(deviceConstraint("a1b2"), { deviceId: { exact: "a1b2" } });
});

Deno.test("devicesFrom() offers what has an id, and numbers what has no name", () => {
  const of = (kind: MediaDeviceKind, deviceId: string, label: string) => ({
    kind,
    deviceId,
    label,
  });
  assert.deepEqual(
    devicesFrom([
      of("audioinput", "m", "Desk\u202e microphone"),
      of("videoinput", "", ""),
      of("videoinput", "c1", ""),
      of("videoinput", "c2", " USB camera "),
      of("audiooutput", "s", "Speakers"),
    ]),
    {
      cameras: [{ id: "c1", label: "Camera 1" }, { id: "c2", label: "USB camera" }],
      microphones: [{ id: "m", label: "Desk\\u202e microphone" }],
    },
  );
});
