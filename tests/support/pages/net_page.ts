/**
 * `@moq/net` in a page, driven by a test. Bundled for the browser when the test runs; what it offers stands in
 * `globalThis.net`.
 */
import * as Moq from "@moq/net";
import { isPayloadOf, payloadOf } from "../payload.ts";

/** What a viewer got of one group. */
export interface SeenGroup {
  readonly sequence: number;
  /** Whether each frame, from the first, had the right bytes. */
  readonly frames: boolean[];
  /** Why it could not be read to its end. */
  error?: string;
}

export interface NetPage {
  /** @returns The version that was negotiated. */
  connect(url: string): Promise<string>;
  /** Announces a broadcast with a track "data". */
  publish(path: string): void;
  /** Writes whole groups, one after another. */
  write(groups: { from: number; count: number; frames: number; everyMs: number }): Promise<void>;
  /** Opens the next group and leaves it open. */
  openGroup(frames: number): void;
  /** Adds a frame to the group that is open, and ends it if asked. */
  addFrame(end: boolean): void;
  endTrack(): void;
  /** Begins to watch a broadcast's "data". */
  watch(path: string): void;
  /** What came so far; `ended` once the track has ended. */
  seen(): { groups: SeenGroup[]; ended: boolean; error?: string };
  /** Names that are announced now. */
  announced(): string[];
  connected(): boolean;
}

let session: Moq.Connection.Established;
let track: Moq.Track.Producer;
let open: { group: Moq.Group.Producer; frames: number } | undefined;
let closed = false;
const live = new Set<string>();
const seen: { groups: SeenGroup[]; ended: boolean; error?: string } = { groups: [], ended: false };

function frameOf(group: number, frame: number): Moq.Group.Frame {
  return { payload: payloadOf(group, frame), timestamp: Moq.Time.Timestamp.now() };
}

async function readGroup(group: Moq.Group.Consumer): Promise<void> {
  const entry: SeenGroup = { sequence: group.sequence, frames: [] };
  seen.groups.push(entry);
  try {
    for (let frame; (frame = await group.readFrame());) {
      entry.frames.push(isPayloadOf(entry.sequence, entry.frames.length, frame.payload));
    }
    const reason = await group.closed;
    if (reason !== null) entry.error = reason.message;
  } catch (error) {
    entry.error = String(error);
  }
}

async function follow(announced: Moq.Announce.Consumer): Promise<void> {
  for (let event; (event = await announced.next());) {
    if (event.active) live.add(event.path);
    else live.delete(event.path);
  }
}

const page: NetPage = {
  async connect(url) {
    session = await Moq.Connection.connect(new URL(url), { websocket: { enabled: false } });
    session.closed.then(() => closed = true);
    void follow(session.announced());
    return session.version;
  },
  publish(path) {
    const broadcast = new Moq.Broadcast.Producer();
    track = broadcast.createTrack("data", { latencyMax: 30_000 });
    session.publish(Moq.Path.from(path), broadcast);
  },
  async write({ from, count, frames, everyMs }) {
    for (let sequence = from; sequence < from + count; sequence++) {
      const group = track.appendGroup();
      for (let i = 0; i < frames; i++) group.writeFrame(frameOf(group.sequence, i));
      group.close();
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  },
  openGroup(frames) {
    const group = track.appendGroup();
    for (let i = 0; i < frames; i++) group.writeFrame(frameOf(group.sequence, i));
    open = { group, frames };
  },
  addFrame(end) {
    open!.group.writeFrame(frameOf(open!.group.sequence, open!.frames++));
    if (end) open!.group.close();
  },
  endTrack: () => track.close(),
  watch(path) {
    const subscriber = session.consume(Moq.Path.from(path)).track("data")
      .subscribe({ latencyMax: 30_000 });
    (async () => {
      const reading: Promise<void>[] = [];
      for (let group; (group = await subscriber.recvGroup());) reading.push(readGroup(group));
      await Promise.all(reading);
      seen.ended = true;
    })().catch((error) => seen.error = String(error));
  },
  seen: () => seen,
  announced: () => [...live],
  connected: () => !closed,
};

Object.assign(globalThis, { net: page });
