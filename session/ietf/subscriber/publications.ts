/**
 * The tracks that the peer offers by PUBLISH. Each is accepted, also without a viewer, and written by its session.
 *
 * @module
 */
import type { Location } from "../../../relay/ports.ts";
import type { Track } from "../../../relay/track.ts";
import { ConnectionClosed, StreamReset } from "../../../transport/errors.ts";
import { sessionCode } from "../../../wire/ietf/codes.ts";
import type { Messages } from "../../../wire/ietf/dialect.ts";
import type { IetfContext } from "../context.ts";
import type { Exchange } from "../exchange.ts";
import type { Granted } from "../request_rights.ts";
import { endOf, LEFT } from "./ends.ts";
import { factsOf, unknownMandatory } from "./facts.ts";
import { HeadFill } from "./head_fill.ts";
import type { Offers } from "./offers.ts";
import { Publication } from "./publication.ts";
import { NOT_ALLOWED, NOT_WANTED, type Refusal, untilOver } from "./offered.ts";
import type { Requesting } from "./requesting.ts";
import { TrackStreams } from "./track_streams.ts";

/** Most tracks that a server may offer us one by one. Each takes one of its streams, and those of a namespace need none. */
export const MAX_FOLLOWED_TRACKS = 64;

const NOTHING = new Uint8Array(0);

/** What is offered, and by which rights; absent where those of the session are enough. */
interface Offered {
  readonly path: string;
  readonly name: string;
  readonly by: Granted | undefined;
}

interface Running {
  readonly publication: Publication;
  readonly streams: TrackStreams;
}

export class Publications {
  readonly #shared: Requesting;
  readonly #context: IetfContext;
  readonly #offers: Offers;
  /** By path and name. */
  readonly #running = new Map<string, Map<string, Running>>();
  #count = 0;

  constructor(shared: Requesting, offers: Offers) {
    this.#shared = shared;
    this.#context = shared.context;
    this.#offers = offers;
  }

  /** Tracks that are offered now. */
  get count(): number {
    return this.#count;
  }

  /** One of them. */
  track(broadcast: string, name: string): Track | undefined {
    return this.#running.get(broadcast)?.get(name)?.publication.track;
  }

  /** A track is offered again: if its publisher has ended it before, nothing of that is waited for any more. */
  yield(broadcast: string, name: string): void {
    this.#running.get(broadcast)?.get(name)?.streams.yield();
  }

  /** Those of one path. */
  *tracks(broadcast: string): IterableIterator<Track> {
    for (const { publication } of this.#running.get(broadcast)?.values() ?? []) {
      yield publication.track;
    }
  }

  /**
   * Takes a track in until its publisher ends it.
   * @returns At once: why it is refused. @throws {ProtocolViolation}
   */
  async serve(
    exchange: Exchange,
    value: Messages["publish"],
    { path, name, by }: Offered,
  ): Promise<Refusal | undefined> {
    const context = this.#context;
    const problem = this.#problem(value);
    if (problem !== undefined) return problem;
    const facts = factsOf(value, context.profile);
    const publication = new Publication(path, name, facts, (by ?? context).consume!.context);
    const over = Promise.withResolvers<void>();
    const streams = new TrackStreams(context, name, publication, () => {
      this.#delete(path, name);
      this.#offers.deleteTrack(path, name);
      this.#shared.aliases.delete(value.alias, streams);
      over.resolve();
    });
    streams.info = facts.info;
    const fill = (largest: Location) =>
      new HeadFill(this.#shared, value, name, largest, publication);
    if (facts.largest !== undefined) streams.fill = fill(facts.largest);
    // It stands there before it is offered: somebody may wait for it.
    this.#set(path, name, { publication, streams });
    if (!this.#offers.addTrack(path, name, by)) {
      this.#delete(path, name);
      return NOT_ALLOWED;
    }
    if (!await this.#shared.aliases.claim(value.alias, streams)) {
      const code = sessionCode(context.profile, "duplicateAlias");
      context.close(code, `alias ${value.alias} stands for two tracks`);
      return undefined;
    }
    this.#accept(exchange, value);
    const unhear = by?.onLost((reason) => {
      streams.end({ kind: "failed", why: "refused", reason });
      exchange.cancel();
    });
    if (this.#shared.isServer) {
      pauseUnread(exchange, publication.track, (at) => streams.resume(fill(at)));
    }
    try {
      const done = await untilOver(exchange, by);
      if (done === undefined) streams.done(LEFT, undefined);
      else streams.done(endOf(done, context.profile), done.streams);
    } catch (error) {
      // The session's end is told to all tracks at once.
      if (error instanceof ConnectionClosed) return undefined;
      streams.end(LEFT);
      if (!(error instanceof StreamReset)) throw error;
    } finally {
      unhear?.();
    }
    await over.promise;
    exchange.finish();
    return undefined;
  }

  /** The session is over. */
  close(): void {
    const all = [...this.#running.values()].flatMap((tracks) => [...tracks.values()]);
    for (const { streams } of all) streams.lost();
  }

  #set(path: string, name: string, running: Running): void {
    const tracks = this.#running.get(path) ?? new Map<string, Running>();
    this.#running.set(path, tracks.set(name, running));
    this.#count++;
  }

  #delete(path: string, name: string): void {
    const tracks = this.#running.get(path);
    if (tracks?.delete(name) !== true) return;
    this.#count--;
    if (tracks.size === 0) this.#running.delete(path);
  }

  #problem({ properties }: Messages["publish"]): Refusal | undefined {
    if (this.#shared.isServer && this.#count >= MAX_FOLLOWED_TRACKS) return NOT_WANTED;
    const mandatory = unknownMandatory(properties, this.#context.profile);
    return mandatory && {
      word: "unsupportedExtension",
      reason: `property ${mandatory.type} is mandatory, and not known here`,
    };
  }

  /** Takes every object from now on, also while nobody reads the track. Those of a server come while somebody does. */
  #accept(exchange: Exchange, { parameters }: Messages["publish"]): void {
    const { wishesInPublishOk } = this.#context.profile;
    const forward = !this.#shared.isServer;
    const wishes = wishesInPublishOk ? { forward } : {};
    exchange.send("requestOk", { parameters: wishes, properties: NOTHING });
    if (!wishesInPublishOk && (parameters.forward ?? true) !== forward) {
      exchange.update({ forward });
    }
  }
}

/** Objects of a server's track come while somebody reads it. @param resume The track goes on behind this object. */
function pauseUnread(exchange: Exchange, track: Track, resume: (largest: Location) => void): void {
  track.onReaders = (any) => {
    exchange.update({ forward: any }, ({ largest }) => {
      if (any && largest !== undefined) resume(largest);
    });
    if (!any) track.clear(); // what comes later does not follow these groups
  };
  if (track.readers > 0) track.onReaders(true);
}
