/**
 * The half of a session that serves the peer: SUBSCRIBE, FETCH, TRACK_STATUS, SUBSCRIBE_NAMESPACE and SUBSCRIBE_TRACKS.
 *
 * @module
 */
import type { BroadcastSource } from "../../../relay/ports.ts";
import type { PublisherHalf } from "../../running_session.ts";
import type { Sent } from "../../sweep.ts";
import type { IetfContext } from "../context.ts";
import type { Exchange, Exchanges } from "../exchange.ts";
import { TokenProblem } from "../request_rights.ts";
import type { ServedTrack } from "./served_track.ts";
import { Serving } from "./serving.ts";
import { serveSubscribe } from "./subscriptions.ts";
import { serveFetch } from "./fetch/fetches.ts";
import { serveStatus } from "./track_status.ts";
import { Watches } from "./watches/watches.ts";

export class Publisher implements PublisherHalf {
  readonly #serving: Serving;
  readonly #watches: Watches;

  /** @param self The peer as a source: its own announcements are not sent back to it. */
  constructor(context: IetfContext, exchanges: Exchanges, self: BroadcastSource) {
    this.#serving = new Serving(context, exchanges, self);
    this.#watches = new Watches(this.#serving);
  }

  /** Subscriptions served now. */
  get subscriptions(): number {
    return this.#serving.served.size;
  }

  get sent(): Sent {
    return this.#serving.sent;
  }

  served(): Iterable<ServedTrack> {
    return this.#serving.served.values();
  }

  /** Announces everything to the peer, a server, until the session ends. */
  announce(): void {
    this.#watches.announce();
  }

  /** Serves one request of the peer. Fulfils when nothing of it is left. @throws {ProtocolViolation} */
  async serve(exchange: Exchange): Promise<void> {
    await this.#serving.answering(exchange, this.#serve(exchange));
  }

  async #serve(exchange: Exchange): Promise<void> {
    const { kind, value } = exchange.request;
    if (kind === "subscribe") return await serveSubscribe(this.#serving, exchange, value);
    const rights = this.#serving.context.rights.of(exchange);
    const by = rights && await rights;
    if (by instanceof TokenProblem) return exchange.refuse(by.word, by.reason);
    try {
      if (kind === "subscribeNamespace" || kind === "subscribeTracks") {
        return await this.#watches.serve(exchange, value, by);
      }
      if (kind === "fetch") return await serveFetch(this.#serving, exchange, value, by);
      if (kind === "trackStatus") return await serveStatus(this.#serving, exchange, value, by);
      exchange.refuse("notSupported", "not served here");
    } finally {
      by?.leave();
    }
  }

  /** Ends every subscription in order: groups that have begun are sent to their end. */
  drain(): void {
    for (const served of [...this.#serving.served.values()]) served.drain();
  }

  /** The session is over. */
  close(): void {
    this.#watches.close();
    for (const one of [...this.#serving.offers]) one.cancel();
    for (const one of [...this.#serving.fetches]) one.cancel();
    for (const served of [...this.#serving.served.values()]) served.cancel("sessionClosed");
  }
}
