/** Every fault, in the order of the table. */
import { sleep } from "../../base/sleep.ts";
import { publishersNames, viewersHalfSent, viewersNames } from "./faults/admitted.ts";
import { bytesOver, bytesOverH3, udpNoise } from "./bytes.ts";
import {
  announceStorm,
  deafViewers,
  dyingPublishers,
  hoarder,
  subscribeChurn,
  tooMany,
} from "./faults/crowds.ts";
import { badNetwork, clockJumps, dyingWorkers, fullDisk } from "./environment.ts";
import type { Fault, WholeFault } from "./fault.ts";
import { giantNumbers, streamFlood } from "./faults/floods.ts";
import { announceInits, beforeSetup, halfRequests, longNames } from "./faults/hoards.ts";
import { comeAndGo, halfOpen, slowHandshakes } from "./faults/handshakes.ts";
import { killedRelay } from "./faults/killed_relay.ts";
import { strangersH3, strangersQuic, strangersTcp } from "./faults/strangers.ts";

/** The honest load alone, for comparison. */
const nothing: Fault = {
  name: "nothing",
  what: "the honest load alone",
  counters: [],
  run: ({ signal }) => sleep(2 ** 30, signal).then(() => "–"),
};

/**
 * @param dir For files.
 * @param disk A small file system of its own, to be filled; absent where there is none.
 */
export function allFaults(dir: string, disk: string | undefined): (Fault | WholeFault)[] {
  return [
    nothing,
    ...(["quic", "webtransport", "websocket"] as const).map(bytesOver),
    bytesOverH3,
    udpNoise,
    giantNumbers,
    streamFlood,
    halfRequests,
    longNames,
    beforeSetup,
    announceInits,
    slowHandshakes,
    halfOpen,
    comeAndGo,
    announceStorm,
    subscribeChurn,
    deafViewers,
    tooMany,
    hoarder,
    strangersQuic,
    strangersH3,
    strangersTcp,
    viewersHalfSent,
    viewersNames,
    publishersNames,
    dyingPublishers,
    badNetwork,
    clockJumps(dir),
    ...(disk === undefined ? [] : [fullDisk(disk)]),
    dyingWorkers(dir),
    killedRelay,
  ];
}
