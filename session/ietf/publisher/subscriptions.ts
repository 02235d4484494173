/**
 * SUBSCRIBE of the peer: waits for the track, accepts, and serves it until one side ends it.
 * Spec: draft-ietf-moq-transport-18, "SUBSCRIBE".
 *
 * @module
 */
import { TooManyTracks } from "../../../relay/errors.ts";
import type { TrackEnd } from "../../../relay/reading.ts";
import type { Track } from "../../../relay/track.ts";
import type { RequestWord } from "../../../wire/ietf/codes.ts";
import type { Messages } from "../../../wire/ietf/dialect.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import type { Exchange } from "../exchange.ts";
import { type Granted, TokenProblem } from "../request_rights.ts";
import { Awaited } from "./awaited.ts";
import { trackParameters, trackProperties } from "./objects/properties.ts";
import { routeTo } from "./route.ts";
import { fill } from "./fetch/fetches.ts";
import { refusalOf } from "./known.ts";
import { firstRequest, ServedTrack } from "./served_track.ts";
import type { Serving } from "./serving.ts";
import { followUpdates, hasConditions, NO_CONDITIONS } from "./updates.ts";

/** Serves one SUBSCRIBE. Fulfils when nothing of it is left. */
export async function serveSubscribe(
  serving: Serving,
  exchange: Exchange,
  asked: Messages["subscribe"],
): Promise<void> {
  const { log, profile } = serving.context;
  const place = serving.placeOf(asked);
  const about = { broadcast: place.path, track: place.name, subscribe: exchange.id };
  const refuse = (word: RequestWord, reason: string) => {
    log.debug("subscribe refused", { ...about, reason });
    exchange.refuse(word, reason);
  };
  if (hasConditions(asked.parameters)) return refuse("invalidFilter", NO_CONDITIONS);
  const subscribing = new Subscribing(serving, exchange, asked.parameters, refuse);
  serving.starts(exchange.id, subscribing.started);
  const updates = followUpdates(exchange, subscribing);
  let leave: (() => void) | undefined;
  try {
    if (!profile.manySubscriptions && serving.has(place)) {
      await serving.vacancies.wait(() => !serving.has(place));
      if (serving.has(place)) {
        return refuse("duplicateSubscription", "this session has a subscription to the track");
      }
    }
    leave = serving.enter(place);
    if (leave === undefined) return refuse("overloaded", "too many subscriptions");
    const rights = serving.context.rights.of(exchange);
    const by = rights && await rights;
    if (by instanceof TokenProblem) return refuse(by.word, by.reason);
    if (by !== undefined) subscribing.grant(by);
    const gone = by === undefined ? updates : Promise.race([updates, subscribing.over]);
    const waitMs = asked.parameters.rendezvousTimeoutMs;
    const route = routeTo(serving, { ...place, by }, waitMs, gone);
    const broadcast = route instanceof Promise ? await route : route;
    if (subscribing.isOver) return;
    if (typeof broadcast === "object") {
      subscribing.start(serving.trackOf(broadcast, place));
      log.debug("subscribed", about);
    } else {
      if (broadcast === "left") return;
      const reason = broadcast === "timeout" ? "nobody has come with it" : "nobody announces it";
      return refuse(broadcast, reason);
    }
    await Promise.race([updates, subscribing.over]);
    if (subscribing.isOver) broadcast.whenGone(() => serving.left(broadcast));
    log.debug("unsubscribed", about);
  } catch (error) {
    if (!(error instanceof TooManyTracks)) throw error;
    refuse("overloaded", error.message);
  } finally {
    subscribing.cancel();
    subscribing.by?.leave();
    leave?.();
  }
}

/** One SUBSCRIBE: first its track is not known, then it is served. */
class Subscribing {
  /** Fulfils when it was refused, or nothing of it is left. */
  readonly over: Promise<void>;
  /** Fulfils when it is served, or will never be. */
  readonly started: Promise<void>;
  readonly #onStarted: () => void;
  isOver = false;
  /** The rights that it is served by; absent where those of the session are enough. */
  by: Granted | undefined;
  readonly #resolve: () => void;
  #wishes: Parameters;
  #awaited: Awaited | undefined;
  #served: ServedTrack | undefined;

  constructor(
    readonly serving: Serving,
    readonly exchange: Exchange,
    wishes: Parameters,
    readonly refuse: (word: RequestWord, reason: string) => void,
  ) {
    this.#wishes = wishes;
    const { promise, resolve } = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    this.over = promise;
    this.started = started.promise;
    this.#onStarted = started.resolve;
    this.#resolve = resolve;
  }

  /** It is served by these rights. Without them it ends. */
  grant(by: Granted): void {
    this.by = by;
    by.onLost((why) => {
      if (this.#served === undefined && !this.isOver) this.#drop("unauthorized", why);
    });
  }

  start(track: Track): void {
    const awaited = new Awaited(
      track,
      firstRequest(track, this.#wishes),
      this.serving.context.peerHop,
      () => this.#known(track),
      (end) => this.#failed(end),
    );
    this.#awaited = awaited;
    awaited.start();
  }

  get state(): Parameters {
    return this.#served?.state ?? {};
  }

  update(changes: Parameters): void {
    this.#wishes = { ...this.#wishes, ...changes };
    this.#served?.update(changes);
    if (this.#served !== undefined) this.#fill(this.#served, changes);
  }

  updateFailed(reason: string): void {
    if (this.#served !== undefined) this.#served.updateFailed(reason);
    else this.#drop("invalidFilter", reason);
  }

  /** The peer has left, or it was refused. */
  cancel(): void {
    this.#stopWaiting();
    this.#served?.cancel();
  }

  #known(track: Track): void {
    const { serving, exchange } = this;
    const { context } = serving;
    const served = new ServedTrack({
      ...{ context, track, exchange, by: this.by },
      wishes: this.#wishes,
      alias: serving.aliases.take(track),
      onDone: () => {
        serving.remove(served);
        this.#onOver();
      },
    });
    if (served.asksInVain) return this.#drop("invalidRange", "the range has been published");
    this.#served = served;
    const { profile } = context;
    exchange.send("subscribeOk", {
      alias: served.alias,
      parameters: {
        ...trackParameters(profile, track.info),
        expiresMs: 0,
        groupOrder: this.#wishes.groupOrder ?? "ascending",
        ...(track.largest && { largest: track.largest }),
      },
      properties: trackProperties(profile, track.info, this.#wishes),
    });
    serving.add(served);
    served.begin();
    this.#stopWaiting();
    this.#fill(served, this.#wishes);
  }

  /** Sends what has been published before, if that is asked for. */
  #fill(served: ServedTrack, { fill: wishes }: Parameters): void {
    if (wishes === undefined || served.isOver) return;
    const { serving } = this;
    serving.context.spawn(fill(serving, served, wishes, this.over));
  }

  #failed(end: TrackEnd): void {
    const { word, reason } = refusalOf(end);
    this.#drop(word, reason);
  }

  #drop(word: RequestWord, reason: string): void {
    this.#stopWaiting();
    this.refuse(word, reason);
    this.#onOver();
  }

  #onOver(): void {
    this.isOver = true;
    this.#resolve();
  }

  #stopWaiting(): void {
    this.#onStarted();
    this.#awaited?.stop();
    this.#awaited = undefined;
  }
}
