/**
 * One request and all that belongs to it, whatever streams the draft puts it on: up to 16 all requests share the control
 * stream and name their number, from 17 on each has a stream of its own. Handlers are written once against this.
 *
 * @module
 */
import type { SendStream } from "../../transport/connection.ts";
import type { RequestWord } from "../../wire/ietf/codes.ts";
import type { ControlMessage, Kind, Messages, Request } from "../../wire/ietf/dialect.ts";
import type { Parameters } from "../../wire/ietf/parameters.ts";

/** What one side has asked of the other, and what both say of it until it is over. */
export interface Exchange {
  /** The number of the request. */
  readonly id: number;
  /** The request itself. */
  readonly request: ControlMessage;
  /** The stream that our messages go out on, for who has to know its backlog. Requests may share it. */
  readonly out: SendStream;
  /**
   * The next message of the peer: an answer, an update, PUBLISH_DONE, NAMESPACE, … An answer to our own update is not among
   * them. Call it again and again as long as the request lives: the peer's end shows only there.
   * @returns `undefined` once the peer says no more: it has taken its request back, or ended its side in order.
   * @throws {StreamReset} The peer gave it up. @throws {ConnectionClosed}
   * @throws {ProtocolViolation} The session is closed already.
   */
  next(): Promise<ControlMessage | undefined>;
  /** Sends a message. The number of the request is filled in where the draft writes it. Ignored once it is over. */
  send<K extends Kind>(kind: K, value: Omit<Messages[K], "requestId">): void;
  /** Accepts an update of the peer. Draft 14 has no answer to that. */
  acceptUpdate(update: Messages["update"], parameters?: Parameters): void;
  /** Refuses an update of the peer. The request goes on. Draft 14 has no answer to that. */
  refuseUpdate(update: Messages["update"], word: RequestWord, reason: string): void;
  /** Refuses the peer's request with REQUEST_ERROR, and ends it. */
  refuse(word: RequestWord, reason: string): void;
  /**
   * Changes a request of ours, or a track that the peer publishes to us. Ignored once it is over.
   * @param onAccepted Called with what the peer says when it accepts. Draft 14 has no answer.
   */
  update(parameters: Parameters, onAccepted?: OnAccepted): void;
  /** We say no more: FIN, where it has a stream. The peer may: read on until it says no more, or cancel. Harmless when over. */
  finish(): void;
  /**
   * Takes our request back, or gives the peer's PUBLISH or PUBLISH_NAMESPACE up. A peer's SUBSCRIBE or FETCH that was accepted
   * ends with PUBLISH_DONE or its data stream instead. Harmless when it is over.
   * @param word Why a PUBLISH_NAMESPACE is given up, where the draft can say it. Default: "uninterested".
   */
  cancel(word?: RequestWord): void;
}

export type OnAccepted = (said: Parameters) => void;

/** A message that asks for something. */
export type RequestMessage = Extract<ControlMessage, { readonly kind: Exclude<Request, "update"> }>;

/** All requests of a session. */
export interface Exchanges {
  /**
   * Sends a request with the next number. It waits for the peer's leave (MAX_REQUEST_ID, or stream credit).
   * @throws {ConnectionClosed}
   */
  open<K extends Exclude<Request, "update">>(
    kind: K,
    value: Omit<Messages[K], "requestId">,
  ): Promise<Exchange>;
}
