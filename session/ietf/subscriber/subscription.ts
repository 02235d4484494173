/**
 * One of our subscriptions at the peer: SUBSCRIBE, what is answered, and the end.
 *
 * @module
 */
import { reasonOf } from "../../../base/errors.ts";
import { sleep } from "../../../base/sleep.ts";
import type {
  Location,
  TrackRequest,
  TrackSink,
  UpstreamSubscription,
} from "../../../relay/ports.ts";
import { ConnectionClosed } from "../../../transport/errors.ts";
import { doneWord, requestWord, sessionCode } from "../../../wire/ietf/codes.ts";
import type { ControlMessage, Messages } from "../../../wire/ietf/dialect.ts";
import type { WideInteger } from "../../../wire/ietf/integers.ts";
import type { Filter } from "../../../wire/ietf/filter.ts";
import type { FullName } from "../../../wire/ietf/names.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import type { Exchange } from "../exchange.ts";
import { endOf, LEFT, refusalOf } from "./ends.ts";
import { factsOf, unknownMandatory } from "./facts.ts";
import { HeadFill } from "./head_fill.ts";
import type { Requesting } from "./requesting.ts";
import { TrackStreams } from "./track_streams.ts";

/** How long to wait before a track is asked for again, and how often that is tried. */
const RETRY_MS = 50;
const RETRIES = 3;
/** What has run for so long may be asked for again as often as the first time. */
const STEADY_MS = 10_000;

/** How long nothing may come of a group that has begun before its head is fetched, in milliseconds. */
const STILL_MS = 100;

export class Subscription implements UpstreamSubscription {
  readonly #shared: Requesting;
  readonly #name: FullName;
  readonly #sink: TrackSink;
  readonly #streams: TrackStreams;
  readonly #onOver: () => void;
  /** What is asked for; absent for the newest group and all that follows. */
  readonly #filter: Filter | undefined;
  #exchange: Exchange | undefined;
  #alias: WideInteger | undefined;
  /** What an update of draft 14 has to repeat: where the subscription began. */
  #start = { group: 0, object: 0 };
  #forward: boolean;
  #asked = true;
  #answered = false;
  /** Whether the sink knows that the track is there. */
  #accepted = false;
  /** The peer has said the last word. */
  #told = false;

  constructor(
    shared: Requesting,
    name: FullName & { readonly label: string },
    request: TrackRequest,
    sink: TrackSink,
    onOver: () => void,
  ) {
    this.#shared = shared;
    this.#name = { namespace: name.namespace, track: name.track };
    this.#sink = sink;
    this.#onOver = onOver;
    this.#forward = request.forward ?? true;
    this.#filter = filterOf(request, shared);
    this.#streams = new TrackStreams(shared.context, name.label, sink, () => this.#leave());
  }

  /** Sends the request and reads what is said of it until it is over. Never throws. */
  async run(): Promise<void> {
    try {
      const { clock } = this.#shared.context;
      for (let tries = 0; !this.#streams.over;) {
        const since = clock.now();
        if (!await this.#run(tries < RETRIES)) return;
        tries = clock.now() - since > STEADY_MS ? 0 : tries + 1;
        await sleep(RETRY_MS << tries, undefined, clock);
      }
    } catch (error) {
      if (error instanceof ProtocolViolation) this.#shared.context.failed(error);
      if (error instanceof ConnectionClosed) return this.#streams.lost();
      const why = this.#accepted ? "lost" : "not-found";
      this.#streams.end({ kind: "failed", why, reason: reasonOf(error) });
    }
  }

  /** Only whether anything is wanted goes to the peer: priorities and bounds are those of single viewers. */
  update({ forward = true }: TrackRequest): void {
    this.#forward = forward;
    this.#sendForward();
  }

  close(): void {
    this.#streams.close();
  }

  /** The session is gone. Another route may continue the groups that have begun. */
  lost(): void {
    this.#streams.lost();
  }

  /** @returns Whether to ask again in a moment. */
  async #run(mayAskAgain: boolean): Promise<boolean> {
    const exchange = await this.#shared.exchanges.open("subscribe", {
      ...this.#name,
      parameters: this.#filter === undefined ? {} : { filter: this.#filter },
    });
    if (this.#streams.over) {
      exchange.cancel();
      return false;
    }
    this.#exchange = exchange;
    this.#asked = true;
    this.#answered = this.#told = false;
    for (;;) {
      const message = await exchange.next();
      if (this.#streams.over) return false;
      if (message === undefined) {
        this.#silent();
        return false;
      }
      if (mayAskAgain && this.#asksAgain(message)) {
        exchange.finish();
        this.#streams.again();
        return true;
      }
      if (await this.#heard(message)) return false;
    }
  }

  /**
   * Whether the track goes on, and only the subscription does not: its time is up, or we were too slow for it. Or the peer has
   * not seen yet that we have left the track before.
   */
  #asksAgain({ kind, value }: ControlMessage): boolean {
    const { profile } = this.#shared.context;
    if (kind === "requestError" && !this.#answered) {
      return requestWord(profile, "subscribe", value.code) === "duplicateSubscription";
    }
    if (kind !== "publishDone" || !this.#answered) return false;
    const word = doneWord(profile, value.code);
    return word === "expired" || word === "tooFarBehind";
  }

  /** @returns Whether nothing more is to be read. @throws {ProtocolViolation} */
  async #heard(message: ControlMessage): Promise<boolean> {
    const { profile } = this.#shared.context;
    if (message.kind === "subscribeOk" && !this.#answered) await this.#accept(message.value);
    else if (message.kind === "requestError" && !this.#answered) {
      this.#told = true;
      this.#streams.end(refusalOf(message.value, "subscribe", profile));
    } else if (message.kind === "publishDone" && this.#answered) {
      this.#told = true;
      this.#streams.done(endOf(message.value, profile), message.value.streams);
      return true;
    } else if (message.kind !== "publishStateNotify" && message.kind !== "goaway") {
      throw new ProtocolViolation("answer to SUBSCRIBE", `${message.kind} out of turn`);
    }
    return this.#streams.over;
  }

  async #accept(ok: Messages["subscribeOk"]): Promise<void> {
    const { context, aliases } = this.#shared;
    this.#answered = true;
    const mandatory = unknownMandatory(ok.properties, context.profile);
    if (mandatory !== undefined) {
      const reason = `its property ${mandatory.type} is mandatory, and not known here`;
      return this.#streams.end({ kind: "failed", why: "refused", reason });
    }
    const facts = factsOf(ok, context.profile);
    if (facts.largest !== undefined) {
      this.#start = { group: facts.largest.group, object: facts.largest.object + 1 };
    }
    this.#streams.info = facts.info;
    if (facts.largest !== undefined) {
      const fill = this.#streams.fill = this.#fill(facts.largest);
      // The filter has left out what the newest group has so far, and perhaps nothing more comes of it.
      if (this.#filter?.kind === "next-object") {
        context.clock.after(STILL_MS, () => {
          if (this.#streams.fill === fill) fill.start();
        });
      }
    }
    if (!this.#accepted) this.#sink.accepted(facts);
    this.#accepted = true;
    if (this.#alias !== undefined) aliases.delete(this.#alias, this.#streams);
    this.#alias = ok.alias;
    if (!await aliases.claim(ok.alias, this.#streams)) {
      context.close(
        sessionCode(context.profile, "duplicateAlias"),
        `alias ${ok.alias} stands for two tracks`,
      );
    }
    this.#sendForward();
  }

  /** The peer has ended its side without PUBLISH_DONE. */
  #silent(): void {
    this.#told = true;
    if (this.#answered) return this.#streams.done(LEFT, undefined);
    const reason = "the publisher did not answer";
    this.#streams.end({ kind: "failed", why: "not-found", reason });
  }

  #fill(largest: Location): HeadFill {
    return new HeadFill(this.#shared, this.#name, this.#streams.name, largest, this.#sink);
  }

  #sendForward(): void {
    if (!this.#answered || this.#streams.over || this.#asked === this.#forward) return;
    this.#asked = this.#forward;
    const parameters: Parameters = { forward: this.#forward };
    const { profile } = this.#shared.context;
    this.#exchange?.update(
      profile.unfilteredSubscribe
        ? parameters
        : { ...parameters, filter: { kind: "range", start: this.#start } },
      ({ largest }) => {
        if (parameters.forward && largest !== undefined) this.#streams.resume(this.#fill(largest));
      },
    );
  }

  #leave(): void {
    if (this.#alias !== undefined) this.#shared.aliases.delete(this.#alias, this.#streams);
    if (this.#told) this.#exchange?.finish();
    else this.#exchange?.cancel();
    this.#onOver();
  }
}

/** A publisher is asked for what it has now, a server also for groups before that if they are wanted. */
function filterOf(
  { startGroup, startObject = 0, startIsFloor = false }: TrackRequest,
  { context: { profile }, isServer }: Requesting,
): Filter | undefined {
  if (isServer && startGroup !== undefined && !startIsFloor) {
    return { kind: "range", start: { group: startGroup, object: startObject } };
  }
  return profile.unfilteredSubscribe ? undefined : { kind: "next-object" };
}
