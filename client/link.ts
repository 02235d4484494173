/**
 * One session of a client: a client that reconnects has one after another, for a moment two.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { Origin } from "../relay/origin.ts";
import type { BroadcastSource, TrackEnd, TrackSink } from "../relay/ports.ts";
import type { TrackContext } from "../relay/track.ts";
import { openSession } from "../session/open.ts";
import type { Session, SessionOptions } from "../session/session.ts";
import type { CloseInfo } from "../transport/connection.ts";

/** How long what a peer announces outlives an announce stream that it gave up: it is opened again. */
const REOPENED_MS = 2000;

export interface LinkOptions extends Omit<SessionOptions, "consume" | "onGoaway"> {
  readonly context: TrackContext;
  /** Whether what ends here may go on in another session. */
  readonly replaceable?: boolean;
  /** The peer asks us to leave. */
  readonly ongoaway: (uri: string, link: Link) => void;
  /** The connection is over; called before the session withdraws what came by it. Not called when it never stood. */
  readonly onlost: (info: CloseInfo, link: Link) => void;
}

export class Link {
  readonly session: Session;
  /** What the peer announces. */
  readonly arrivals: Origin;
  /** Where the tracks of this link come from. */
  readonly source: BroadcastSource;
  /** We go elsewhere, or it is over: what ends here goes on there. */
  leaving = false;

  /** @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed} The connection is closed then. */
  static async start(options: LinkOptions): Promise<Link> {
    const { context, replaceable = false, ongoaway, onlost, ...rest } = options;
    const arrivals = new Origin({ context, hop: options.hop, lingerMs: REOPENED_MS });
    const started: { link?: Link } = {};
    // Asked before the session asks: it clears away what it brought as soon as it hears of the end.
    void options.connection.closed.then((info) => started.link && onlost(info, started.link));
    const asked: string[] = [];
    const session = await openSession({
      ...rest,
      consume: arrivals,
      onGoaway: (uri) => started.link === undefined ? asked.push(uri) : ongoaway(uri, started.link),
    });
    const link = started.link = new Link(
      session,
      arrivals,
      replaceable ? context.clock : undefined,
    );
    for (const uri of asked) ongoaway(uri, link);
    return link;
  }

  private constructor(session: Session, arrivals: Origin, clock: Clock | undefined) {
    this.session = session;
    this.arrivals = arrivals;
    this.source = sourceOf(this, clock);
  }

  /** Nothing runs over it: it may be closed without anybody's loss. */
  get idle(): boolean {
    return this.session.subscriptions === 0 && this.session.servedCount === 0;
  }
}

/** The peer as a source. */
function sourceOf(link: Link, clock: Clock | undefined): BroadcastSource {
  const { source } = link.session;
  return {
    label: source.label,
    trackInfo: (broadcast, track) => source.trackInfo(broadcast, track),
    fetch: (broadcast, track, request, writer) => source.fetch(broadcast, track, request, writer),
    subscribe: (broadcast, track, request, sink) => {
      const into = clock === undefined ? sink : goingOn(link, sink, clock);
      return source.subscribe(broadcast, track, request, into);
    },
  };
}

/**
 * A relay that is about to go ends each subscription in order, and its GOAWAY may come behind that: an end is believed
 * when the session still stands a moment later.
 */
function goingOn(link: Link, sink: TrackSink, clock: Clock): TrackSink {
  return {
    openGroup: (sequence, startFrame) => sink.openGroup(sequence, startFrame),
    accepted: () => sink.accepted(),
    started: (group) => sink.started(group),
    interrupt: (writer) => sink.interrupt(writer),
    datagram: (sequence, timestamp, payload) => sink.datagram(sequence, timestamp, payload),
    ended: (end) => {
      if (end.kind !== "ended") return sink.ended(end);
      if (link.leaving) return sink.ended(LEFT);
      clock.after(DOUBT_MS, () => sink.ended(link.leaving ? LEFT : end));
    },
  };
}

const DOUBT_MS = 500;

const LEFT: TrackEnd = {
  kind: "failed",
  why: "lost",
  reason: "the relay has ended its sessions to go away",
};
