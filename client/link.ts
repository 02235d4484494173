/**
 * One session of a client. A client that reconnects has one after another, and two for a moment.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { Origin } from "../relay/origin.ts";
import type { BroadcastSource, TrackEnd, TrackSink } from "../relay/ports.ts";
import type { TrackContext } from "../relay/track.ts";
import type { openSession } from "../session/open.ts";
import type { Session, SessionOptions } from "../session/session.ts";
import type { CloseInfo } from "../transport/connection.ts";

/** How long announcements outlive an announce stream that the peer has reset. It is opened again meanwhile. */
const REOPENED_MS = 2000;

export interface LinkOptions extends Omit<SessionOptions, "consume" | "onGoaway"> {
  /** Opens the session: on the end that dialed, or on the other one. */
  readonly open: typeof openSession;
  readonly context: TrackContext;
  /** Whether tracks that end here may continue in another session. */
  readonly replaceable?: boolean;
  /** The peer asks us to leave. */
  readonly ongoaway: (uri: string, link: Link) => void;
  /** The connection is over. Called before the session withdraws its routes, and not for a session that was never open. */
  readonly onlost: (info: CloseInfo, link: Link) => void;
}

export class Link {
  readonly session: Session;
  /** What the peer announces. */
  readonly arrivals: Origin;
  /** The source of this link's tracks. */
  readonly source: BroadcastSource;
  /** We are leaving, or the session is over: tracks that end here continue in the next one. */
  leaving = false;

  /** @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed} The connection is closed then. */
  static async start(options: LinkOptions): Promise<Link> {
    const { open, context, replaceable = false, ongoaway, onlost, ...rest } = options;
    const arrivals = new Origin({ context, hop: options.hop, lingerMs: REOPENED_MS });
    const started: { link?: Link } = {};
    // Registered before the session is: the session withdraws its routes when it hears of the end.
    void options.connection.closed.then((info) => started.link && onlost(info, started.link));
    const asked: string[] = [];
    const session = await open({
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

  /** Whether it has no subscription in either direction. */
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
    fetch: (broadcast, track, request, into) => source.fetch(broadcast, track, request, into),
    subscribe: (broadcast, track, request, sink) => {
      const into = clock === undefined ? sink : goingOn(link, sink, clock);
      return source.subscribe(broadcast, track, request, into);
    },
  };
}

/**
 * A relay that drains ends each subscription in order, and its GOAWAY may come after that. So the end of a track counts only
 * if the session is still open a moment later.
 */
function goingOn(link: Link, sink: TrackSink, clock: Clock): TrackSink {
  return {
    openGroup: (sequence, startFrame, head) => sink.openGroup(sequence, startFrame, head),
    accepted: (facts) => sink.accepted(facts),
    started: (group) => sink.started(group),
    interrupt: (writer) => sink.interrupt(writer),
    datagram: (...datagram) => sink.datagram(...datagram),
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
