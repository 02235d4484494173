/**
 * Objects that came in datagrams go out in datagrams: each as it is, or not at all.
 * Spec: draft-ietf-moq-transport-18, "Object Datagram".
 *
 * @module
 */
import type { DatagramObject, TrackInfo } from "../../../../relay/reading.ts";
import { encodeDatagram } from "../../../../wire/ietf/data/datagram.ts";
import { datagramFor } from "../../../convert/datagrams.ts";
import { type IetfContext, layoutOf } from "../../context.ts";

/** Where a datagram belongs. */
interface Place {
  readonly alias: number;
  readonly group: number;
  /** In the track's timescale; of datagrams of moq-lite. */
  readonly timestamp: number;
  /** Of objects without one of their own, 0 goes first. */
  readonly priority: number | undefined;
  /** Of the track. */
  readonly info: TrackInfo;
}

/** Sends one object. It is dropped when it does not fit, or when its draft has what the peer's has not. */
export function sendDatagram(
  { connection, profile, quota, stats }: IetfContext,
  { alias, group, priority, timestamp, info }: Place,
  payload: Uint8Array,
  object?: DatagramObject,
): void {
  if (!quota.maySend) return;
  let bytes;
  try {
    const said = datagramFor(layoutOf(profile), timestamp, info, object);
    if (said === undefined) return void stats.datagramsDropped++;
    const own = said.priority;
    bytes = encodeDatagram(
      {
        ...said,
        alias,
        group,
        priority: own === undefined ? priority : 255 - own,
      },
      payload,
      profile,
    );
  } catch { // The peer's draft cannot write it.
    return void stats.datagramsDropped++;
  }
  if (bytes.length > connection.maxDatagramBytes || !connection.sendDatagram(bytes)) {
    stats.datagramsDropped++;
    return;
  }
  quota.sent(bytes.length);
  stats.datagramsOut++;
}
