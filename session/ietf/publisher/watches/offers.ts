/**
 * SUBSCRIBE_TRACKS of the peer, and its part of SUBSCRIBE_NAMESPACE up to draft 17: each track that is offered below a
 * prefix goes to the peer by PUBLISH. Spec: draft-ietf-moq-transport-18, "SUBSCRIBE_TRACKS"; -16, "SUBSCRIBE_NAMESPACE".
 *
 * @module
 */
import type { Broadcast } from "../../../../relay/broadcast.ts";
import type { TrackEvent } from "../../../../relay/origin.ts";
import type { Namespace } from "../../../../wire/ietf/names.ts";
import type { Parameters } from "../../../../wire/ietf/parameters.ts";
import { joinPath, stripPrefix } from "../../../../wire/path.ts";
import type { Exchange } from "../../exchange.ts";
import type { Granted } from "../../request_rights.ts";
import { namespaceOf, pathOf, trackBytesOf } from "../../names.ts";
import { isSayable } from "./namespaces.ts";
import { Published } from "./published.ts";
import type { Serving } from "../serving.ts";

/** Most tracks that one session is offered at a time. Each takes a request of ours. */
const MAX_OFFERS = 1000;

/** Offers tracks below a prefix until it is closed. @returns What closes it. Tracks that go out stay. */
export function offerTracks(
  serving: Serving,
  exchange: Exchange,
  prefix: Namespace,
  parameters: Parameters,
  by: Granted | undefined,
): () => void {
  const { context: { root, peerHop, profile, dialect, quota }, offers } = serving;
  const { serve } = by ?? serving.context;
  const at = joinPath(root, pathOf(prefix));
  // What the peer wishes for each track.
  const { tokens: _, ...wishes } = parameters;
  const mine = new Map<string, Published>();
  /** Tracks that are offered now, and those of them that came again while the peer still had them from before. */
  const there = new Set<string>();
  const again = new Set<string>();
  let over = false;
  let begun = false;
  let first = 0;

  const tell = ({ path, track, gone }: TrackEvent) => {
    const place = { path, name: track, by };
    const key = JSON.stringify([path, track]);
    if (gone) {
      there.delete(key);
      again.delete(key);
      // One that goes out ends with its track.
      const one = mine.get(key);
      if (one !== undefined && !one.isTold) one.cancel();
      return;
    }
    there.add(key);
    if (mine.has(key)) return void again.add(key);
    if (serving.has(place)) return;
    const suffix = namespaceOf(stripPrefix(path, at)!);
    const namespace = [...prefix, ...suffix];
    const name = { namespace, track: trackBytesOf(track) };
    if (!isSayable(namespace, profile, name.track.length)) return;
    if (!begun) first++;
    const leave = offers.size < MAX_OFFERS ? serving.enter(place) : undefined;
    if (leave === undefined) {
      if (dialect.has("publishBlocked")) {
        exchange.send("publishBlocked", { suffix, track: name.track });
      }
      return;
    }
    by?.keep();
    const one = new Published(serving, wishes);
    mine.set(key, one);
    offers.add(one);
    const run = async () => {
      let from: Broadcast | undefined;
      try {
        from = await one.run(place, name);
      } finally {
        by?.leave();
        mine.delete(key);
        offers.delete(one);
        leave();
      }
      if (over || !there.has(key)) return;
      const isAnew = again.delete(key);
      const elsewhere = from !== undefined && serving.find(place) !== from;
      if (isAnew || elsewhere) tell({ path, track, gone: false });
    };
    serving.context.spawn(run());
  };
  const watch = serve?.watchTracks({ prefix: at, excludeHop: peerHop, except: serving.self }, tell);
  begun = true;
  quota.told(first);
  return () => {
    over = true;
    watch?.close();
    for (const one of mine.values()) if (!one.isTold) one.cancel();
  };
}
