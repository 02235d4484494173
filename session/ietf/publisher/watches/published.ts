/**
 * One PUBLISH of our own: a track that is offered below a prefix that the peer watches.
 * Spec: draft-ietf-moq-transport-18, "PUBLISH".
 *
 * @module
 */
import { reasonOf } from "../../../../base/errors.ts";
import type { Broadcast } from "../../../../relay/broadcast.ts";
import type { Track } from "../../../../relay/track.ts";
import type { FullName } from "../../../../wire/ietf/names.ts";
import type { Parameters } from "../../../../wire/ietf/parameters.ts";
import type { Exchange } from "../../exchange.ts";
import type { Granted } from "../../request_rights.ts";
import { Awaited } from "../awaited.ts";
import { trackParameters, trackProperties } from "../objects/properties.ts";
import { firstRequest, ServedTrack } from "../served_track.ts";
import type { Place, Serving } from "../serving.ts";
import { followUpdates, nextOf } from "../updates.ts";

export class Published {
  readonly #serving: Serving;
  readonly #wishes: Parameters;
  #awaited: Awaited | undefined;
  #exchange: Exchange | undefined;
  #served: ServedTrack | undefined;
  readonly #gone = Promise.withResolvers<void>();

  /** @param wishes What the peer has said for all tracks below the prefix. */
  constructor(serving: Serving, wishes: Parameters) {
    this.#serving = serving;
    this.#wishes = wishes;
  }

  /** Whether the peer has been told of the track. It hears of its end by PUBLISH_DONE then. */
  get isTold(): boolean {
    return this.#exchange !== undefined;
  }

  /**
   * Offers the track, and serves it if the peer accepts. Fulfils when nothing of it is left.
   * @returns The broadcast that it went out from until that ended it, not the peer.
   */
  async run(place: Place, name: FullName): Promise<Broadcast | undefined> {
    const serving = this.#serving;
    const { log } = serving.context;
    let unhear: (() => void) | undefined;
    try {
      const broadcast = serving.find(place);
      if (broadcast === undefined) return undefined;
      const track = serving.trackOf(broadcast, place);
      unhear = place.by?.onLost(() => this.#served === undefined && this.cancel());
      if (!await this.#isKnown(track)) return undefined;
      return await this.#offer(track, name, place.by) ? broadcast : undefined;
    } catch (error) {
      const { path, name: label } = place;
      log.debug("track not published", { path, name: label, reason: reasonOf(error) });
      return undefined;
    } finally {
      unhear?.();
      this.#awaited?.stop();
      this.#served?.cancel();
    }
  }

  /** Takes it back. */
  cancel(): void {
    this.#gone.resolve();
    this.#awaited?.stop();
    this.#served?.cancel();
    if (this.#served === undefined) this.#exchange?.cancel();
  }

  /** Keeps the track from now on. @returns Whether it exists. */
  async #isKnown(track: Track): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const request = firstRequest(track, this.#wishes);
    this.#awaited = new Awaited(
      track,
      request,
      this.#serving.context.peerHop,
      () => resolve(true),
      () => {
        resolve(false);
        this.#gone.resolve();
      },
    );
    this.#awaited.start();
    return await Promise.race([promise, this.#gone.promise.then(() => false)]);
  }

  /** @returns Whether it went out, and its source has ended it. */
  async #offer(track: Track, name: FullName, by: Granted | undefined): Promise<boolean> {
    const serving = this.#serving;
    const { context, exchanges, aliases } = serving;
    const { profile } = context;
    const alias = aliases.take(track);
    const { largest } = track;
    const wishes = { forward: true, ...this.#wishes };
    const exchange = await exchanges.open("publish", {
      ...name,
      alias,
      parameters: {
        ...trackParameters(profile, track.info),
        groupOrder: "ascending",
        ...wishes,
        ...(largest && { largest }),
      },
      properties: trackProperties(profile, track.info, wishes),
    });
    this.#exchange = exchange;
    const answer = await Promise.race([nextOf(exchange), this.#gone.promise]);
    if (answer?.kind !== "requestOk") {
      exchange.cancel();
      return false;
    }
    const { promise: over, resolve: onDone } = Promise.withResolvers<void>();
    const served = this.#served = new ServedTrack({
      ...{ context, track, alias, exchange, by },
      wishes: { ...wishes, ...answer.value.parameters },
      onDone: () => {
        serving.remove(served);
        onDone();
      },
    });
    serving.add(served);
    // From what the peer was told on: nothing is lost while its answer was on the way.
    served.begin(largest ?? { group: 0, object: -1 });
    this.#awaited?.stop();
    const updates = followUpdates(exchange, served);
    let ended = false;
    const isEnded = over.then(() => void (ended = true));
    await serving.answering(exchange, Promise.race([updates, isEnded]));
    return ended;
  }
}
