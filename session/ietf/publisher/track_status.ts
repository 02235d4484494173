/**
 * TRACK_STATUS of the peer: what there is of a track, without a subscription.
 * Spec: draft-ietf-moq-transport-18, "TRACK_STATUS".
 *
 * @module
 */
import type { Messages } from "../../../wire/ietf/dialect.ts";
import type { Exchange } from "../exchange.ts";
import type { Granted } from "../request_rights.ts";
import { knownTrack, Refusal } from "./known.ts";
import { trackParameters, trackProperties } from "./objects/properties.ts";
import type { Serving } from "./serving.ts";
import { nextOf } from "./updates.ts";

/** Answers one TRACK_STATUS. */
export async function serveStatus(
  serving: Serving,
  exchange: Exchange,
  asked: Messages["trackStatus"],
  by?: Granted,
): Promise<void> {
  const leave = serving.enter();
  if (leave === undefined) return exchange.refuse("overloaded", "too many subscriptions");
  try {
    const found = await knownTrack(serving, serving.placeOf(asked, by), nextOf(exchange));
    if (found === undefined) return;
    if (found instanceof Refusal) return exchange.refuse(found.word, found.reason);
    const { profile } = serving.context;
    const { track: { info, largest } } = found;
    exchange.send("requestOk", {
      parameters: {
        ...trackParameters(profile, info),
        expiresMs: 0,
        groupOrder: "ascending",
        ...(largest && { largest }),
      },
      properties: profile.propertiesInOk
        ? trackProperties(profile, info, asked.parameters)
        : new Uint8Array(0),
    });
    found.release();
    exchange.finish();
  } finally {
    leave();
  }
}
