/**
 * From a written frame to the streams of its viewers: sessions with all they do, over connections that take every byte and
 * do nothing with it.
 *
 * @module
 */
import { type BroadcastSource, DEFAULT_TRACK_INFO, type TrackSink } from "../relay/ports.ts";
import { Relay } from "../server/relay.ts";
import type { BidiStream, Connection, SendStream } from "../transport/connection.ts";

const FRAME = new Uint8Array(1200).fill(7);
const VIEWERS = 100;
const FRAMES = 60;

/** SUBSCRIBE with id 0 to track "v" of "a", in the words of 03, 05 and 06. */
const SUBSCRIBE = {
  "moq-lite-03": [2, 0x0b, 0, 2, 0x2f, 0x61, 1, 0x76, 0x80, 1, 0, 0, 0],
  "moq-lite-05": [2, 0x0a, 0, 1, 0x61, 1, 0x76, 0x80, 1, 0, 0, 0],
  "moq-lite-06": [2, 0x0b, 0, 1, 0x61, 1, 0x76, 0x80, 0, 0, 0, 0, 0],
};

/** Takes what it is given. */
class Sink implements SendStream {
  bytes = 0;
  done = false;
  readonly blocked = false;
  readonly canReset = true;
  readonly closed = new Promise<never>(() => {});

  write(bytes: Uint8Array): void {
    this.bytes += bytes.length;
  }
  onWritable(): void {}
  flush(): Promise<void> {
    return Promise.resolve();
  }
  finish(): void {
    this.done = true;
  }
  reset(): void {
    this.done = true;
  }
  setSendOrder(): void {}
}

/** A peer that says these bytes on a stream each, and nothing more. */
function viewer(protocol: string, unis: number[][], bidis: number[][]): Connection {
  const never = new Promise<undefined>(() => {});
  const saying = (bytes: number[]) => {
    const chunks = [Uint8Array.from(bytes)];
    return {
      read: () => chunks.length > 0 ? Promise.resolve(chunks.shift()) : never,
      stop: () => {},
    };
  };
  const bidi = (bytes: number[]): BidiStream => ({ send: new Sink(), receive: saying(bytes) });
  return {
    ...{ kind: "memory", protocol, path: "/", remoteAddress: "viewer", maxDatagramBytes: 1200 },
    closed: never as Promise<never>,
    openBidi: () => Promise.resolve(bidi([])),
    openUni: () => Promise.resolve(new Sink()),
    acceptBidi: () => bidis.length > 0 ? Promise.resolve(bidi(bidis.shift()!)) : never,
    acceptUni: () => unis.length > 0 ? Promise.resolve(saying(unis.shift()!)) : never,
    sendDatagram: () => true,
    readDatagram: () => never,
    close: () => {},
  };
}

/** A relay whose one track has so many viewers. @returns Where the track's groups are written. */
async function watched(version: keyof typeof SUBSCRIBE): Promise<TrackSink> {
  const relay = new Relay({ hop: 777n });
  const asked = Promise.withResolvers<TrackSink>();
  const source: BroadcastSource = {
    label: "bench",
    trackInfo: () => Promise.resolve(DEFAULT_TRACK_INFO),
    fetch: () => Promise.reject(new Error("nobody fetches")),
    subscribe: (_broadcast, _track, _request, sink) => {
      asked.resolve(sink);
      return { update: () => {}, close: () => {} };
    },
  };
  relay.origin.announce("a", source, { hops: [], warm: 0, cold: 0 });
  const setup = version === "moq-lite-03" ? [] : [[1, 1, 0]];
  for (let i = 0; i < VIEWERS; i++) {
    void relay.accept(viewer(version, [...setup], [SUBSCRIBE[version]]));
  }
  const sink = await asked.promise;
  while (relay.stats.subscriptions < VIEWERS) await turn();
  return sink;
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

for (const version of ["moq-lite-06", "moq-lite-05", "moq-lite-03"] as const) {
  const sink = await watched(version);
  let sequence = 0;
  let timestamp = 0;

  const long = { group: `${VIEWERS} viewers, ${FRAMES} frames of a group` };
  Deno.bench(`${version}: long groups`, long, async (bench) => {
    const group = sink.openGroup(sequence++)!;
    await turn(); // their streams open
    bench.start();
    for (let i = 0; i < FRAMES; i++) group.frame(timestamp += 33, FRAME);
    bench.end();
    group.finish();
    await turn();
  });

  const short = { group: `${VIEWERS} viewers, ${FRAMES} groups of one frame` };
  Deno.bench(`${version}: short groups`, short, async (bench) => {
    bench.start();
    for (let i = 0; i < FRAMES; i++) {
      const group = sink.openGroup(sequence++)!;
      group.frame(timestamp += 20, FRAME);
      group.finish();
      await Promise.resolve();
    }
    bench.end();
    await turn();
  });
}
