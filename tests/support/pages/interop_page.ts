/**
 * `@moq/net` in a page as one peer of the interop matrix. Bundled for the browser when the matrix runs; what it offers
 * stands in `globalThis.interop`.
 */
import * as Moq from "@moq/net";
import { missingOf } from "../group_run.ts";
import { isPayloadOf, payloadOf } from "../payload.ts";

/** A frame of a hang broadcast, as it comes from the test. */
export interface PageRecord {
  readonly track: string;
  readonly group: number;
  readonly timestampUs: number;
  readonly base64: string;
}

/** A whole group as it was read. */
export interface PageGroup {
  readonly sequence: number;
  readonly frames: number;
  /** Frames whose bytes are not those expected; always 0 for media. */
  readonly wrong: number;
}

export interface InteropPage {
  /** @param protocols What WebTransport offers. @returns The version that was agreed on. */
  connect(url: string, hash: string, protocols: readonly string[]): Promise<string>;
  /** Publishes groups of frames on a track "data" until the page is gone. */
  publishData(path: string, frames: number, everyMs: number): void;
  /** Publishes media at its own speed; fulfils when all is written. */
  publishMedia(path: string, records: readonly PageRecord[]): Promise<void>;
  /** Waits until a broadcast is announced. */
  announced(path: string): Promise<void>;
  /** Reads the track "data" until so many groups in a row are there, or `most` at all. */
  readData(path: string, row: number, most: number): Promise<PageGroup[]>;
  /** Reads the video track that the catalog names until so many frames are there. @returns How many. */
  readMedia(path: string, frames: number): Promise<number>;
}

let session: Moq.Connection.Established;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const page: InteropPage = {
  async connect(url, hash, protocols) {
    const value = Uint8Array.from(hash.match(/../g)!, (byte) => parseInt(byte, 16));
    const pinned = [{ algorithm: "sha-256", value }];
    const options = { serverCertificateHashes: pinned, protocols: [...protocols] };
    const transport = new WebTransport(url, options as WebTransportOptions);
    await transport.ready;
    session = await Moq.Connection.connect(new URL(url), { transport });
    return session.version;
  },
  publishData(path, frames, everyMs) {
    const broadcast = new Moq.Broadcast.Producer();
    const track = broadcast.createTrack("data", { latencyMax: 30_000 });
    session.publish(Moq.Path.from(path), broadcast);
    setInterval(() => {
      const group = track.appendGroup();
      for (let i = 0; i < frames; i++) {
        const payload = payloadOf(group.sequence, i);
        group.writeFrame({ payload, timestamp: Moq.Time.Timestamp.now() });
      }
      group.close();
    }, everyMs);
  },
  async publishMedia(path, records) {
    const broadcast = new Moq.Broadcast.Producer();
    const tracks = new Map<string, Moq.Track.Producer>();
    const open = new Map<string, { readonly from: number; readonly group: Moq.Group.Producer }>();
    for (const { track } of records) {
      if (!tracks.has(track)) {
        tracks.set(track, broadcast.createTrack(track, { latencyMax: 30_000 }));
      }
    }
    session.publish(Moq.Path.from(path), broadcast);
    const startMs = performance.now();
    for (const { track, group, timestampUs, base64 } of records) {
      const aheadMs = startMs + timestampUs / 1000 - performance.now();
      if (aheadMs > 5) await sleep(aheadMs);
      if (open.get(track)?.from !== group) {
        open.get(track)?.group.close();
        open.set(track, { from: group, group: tracks.get(track)!.appendGroup() });
      }
      const payload = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      open.get(track)!.group.writeFrame({
        payload,
        timestamp: Moq.Time.Timestamp.fromMicros(timestampUs),
      });
    }
    for (const { group } of open.values()) group.close();
    for (const track of tracks.values()) track.close();
    await sleep(1000); // what was written has still to leave
    broadcast.close();
    await sleep(500);
  },
  async announced(path) {
    const announced = session.announced();
    for (let event; (event = await announced.next());) {
      if (event.active && event.path === path) return;
    }
    throw new Error("the session ended");
  },
  async readData(path, row, most) {
    const subscriber = session.consume(Moq.Path.from(path)).track("data")
      .subscribe({ latencyMax: 30_000 });
    const groups: PageGroup[] = [];
    const whole = () => missingOf(groups.map(({ sequence }) => sequence), row) === undefined;
    while (groups.length === 0 || !whole() && groups.length < most) {
      const group = await subscriber.recvGroup();
      if (group === undefined) throw new Error("the track ended");
      let [frames, wrong] = [0, 0];
      for (let frame; (frame = await group.readFrame()); frames++) {
        if (!isPayloadOf(group.sequence, frames, frame.payload)) wrong++;
      }
      // On moq-transport it joins a group in its middle, and gets what is left of that, if anything.
      const isJoined = groups.length === 0 && session.version.startsWith("moq-transport");
      if (isJoined && (frames === 0 || wrong > 0)) continue;
      groups.push({ sequence: group.sequence, frames, wrong });
    }
    return groups;
  },
  async readMedia(path, count) {
    const broadcast = session.consume(Moq.Path.from(path));
    const catalogs = broadcast.track("catalog.json").subscribe({ latencyMax: 30_000 });
    const catalog = await (await catalogs.recvGroup())?.readFrame();
    if (catalog === undefined) throw new Error("there is no catalog");
    const { video } = JSON.parse(new TextDecoder().decode(catalog.payload));
    const name = Object.keys(video.renditions)[0]!;
    const subscriber = broadcast.track(name).subscribe({ latencyMax: 30_000 });
    let frames = 0;
    while (frames < count) {
      const group = await subscriber.recvGroup();
      if (group === undefined) throw new Error(`the track ended after ${frames} frames`);
      while (await group.readFrame() !== undefined) frames++;
    }
    return frames;
  },
};

Object.assign(globalThis, { interop: page });
