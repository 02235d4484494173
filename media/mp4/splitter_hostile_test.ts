import assert from "node:assert/strict";
import { MediaError } from "../media_error.ts";
import type { MediaEvent } from "./media_track.ts";
import { Splitter } from "./splitter.ts";

/** A box of these parts: numbers are 32-bit fields, text is a four-character code. */
function box(type: string, ...parts: (number | string | Uint8Array)[]): Uint8Array {
  const bytes = parts.flatMap((part) =>
    typeof part === "number"
      ? [part >>> 24, part >>> 16 & 255, part >>> 8 & 255, part & 255]
      : typeof part === "string"
      ? Array.from(new TextEncoder().encode(part))
      : Array.from(part)
  );
  return new Uint8Array(Array.from(head(bytes.length + 8, type)).concat(bytes));
}

function head(size: number, type: string): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, size);
  new TextEncoder().encodeInto(type, bytes.subarray(4));
  return bytes;
}

const zeros = (count: number) => new Uint8Array(count);
const FTYP = box("ftyp", "isom", 0);

/** A moov with one Opus track, id 1, of 48,000 ticks per second. */
function moov(handler = "soun"): Uint8Array {
  const opus = box(
    "Opus",
    zeros(16),
    Uint8Array.of(0, 2, 0, 16),
    zeros(4),
    48_000 << 16,
    box("dOps", Uint8Array.of(0, 2, 1, 56), 48_000, zeros(3)),
  );
  const stbl = box("stbl", box("stsd", 0, 1, opus));
  const mdia = box(
    "mdia",
    box("mdhd", 0, 0, 0, 48_000, 0, 0),
    box("hdlr", 0, 0, handler, zeros(12)),
    box("minf", stbl),
  );
  return box(
    "moov",
    box("mvhd", 0, 0, 0, 1000, zeros(80)),
    box("trak", box("tkhd", 7, 0, 0, 1, zeros(68)), mdia),
    box("mvex", box("trex", 0, 1, 1, 960, 0, 0)),
  );
}

/** A moof of one run of equal samples whose data follows in the next box. */
function moof(run: { count: number; sizeBytes: number; track?: number; offset?: number }) {
  const build = (dataOffset: number) =>
    box(
      "moof",
      box("mfhd", 0, 1),
      box(
        "traf",
        box("tfhd", 0x020010, run.track ?? 1, run.sizeBytes),
        box("tfdt", 0, 0),
        box("trun", 0x01, run.count, dataOffset),
      ),
    );
  return build(run.offset ?? build(0).length + 8);
}

function pushAll(...parts: Uint8Array[]): MediaEvent[] {
  const splitter = new Splitter();
  const events = parts.flatMap((part) => [...splitter.push(part)]);
  splitter.end();
  return events;
}

function refuses(reason: RegExp, ...parts: Uint8Array[]): void {
  assert.throws(() => pushAll(...parts), (thrown) => {
    assert(thrown instanceof MediaError);
    assert.match(thrown.message, reason);
    return true;
  });
}

Deno.test("Splitter reads a fragment made by hand, byte for byte", () => {
  const data = Uint8Array.of(1, 2, 3, 4);
  const events = pushAll(FTYP, moov(), moof({ count: 2, sizeBytes: 2 }), box("mdat", data));
  assert.deepEqual(events.slice(1).map((event) => event.type === "sample" && [...event.data]), [
    [1, 2],
    [3, 4],
  ]);
  assert.deepEqual(events.map((event) => event.type === "sample" && event.timestampUs), [
    false,
    0,
    20_000,
  ]);
});

Deno.test("Splitter refuses what is no MP4, and an MP4 that is not fragmented", () => {
  refuses(/does not begin as an MP4/, new TextEncoder().encode("GET / HTTP/1.1\r\n"));
  refuses(/"mdat" comes before "moov"/, FTYP, head(1000, "mdat"));
  refuses(/"moof" comes before "moov"/, FTYP, head(1000, "moof"));
  refuses(/not fragmented/, FTYP, box("moov", box("mvhd", zeros(100))));
  refuses(/ends before its moov/, FTYP);
});

Deno.test("Splitter refuses absurd sizes at the header, before anything is collected", () => {
  refuses(/too big/, FTYP, head(0xfffffff0, "moov"));
  refuses(/too big/, FTYP, moov(), head(0x7fffffff, "moof"));
  refuses(/too big/, FTYP, moov(), moof({ count: 1, sizeBytes: 0x7fffffff }));
  refuses(/too many/, FTYP, moov(), moof({ count: 0xffffffff, sizeBytes: 0 }));
  refuses(/no box begins/, FTYP, head(4, "free"));
  refuses(/no box begins/, FTYP, head(0, "moov"));
});

Deno.test("Splitter refuses samples that lie outside of their data box", () => {
  const data = box("mdat", zeros(4));
  refuses(/outside of its data/, FTYP, moov(), moof({ count: 1, sizeBytes: 5 }), data);
  refuses(/outside of its data/, FTYP, moov(), moof({ count: 1, sizeBytes: 2, offset: -40 }), data);
  const far = moof({ count: 1, sizeBytes: 2, offset: 5000 });
  refuses(/middle of a fragment/, FTYP, moov(), far, data);
  refuses(/is missing/, FTYP, moov(), far, data, moof({ count: 1, sizeBytes: 2 }));
  refuses(/not in the moov/, FTYP, moov(), moof({ count: 1, sizeBytes: 2, track: 9 }), data);
});

Deno.test("Splitter refuses a file without any track it can carry", () => {
  refuses(/no video or audio track/, FTYP, moov("subt"));
});

Deno.test("Splitter takes a repeated moov, and refuses another one", () => {
  assert.equal(pushAll(FTYP, moov(), FTYP, moov()).length, 1);
  refuses(/second, different moov/, FTYP, moov(), moov("subt"));
});

Deno.test("Splitter steps over boxes it has no use for, however long, without keeping them", () => {
  const splitter = new Splitter();
  for (const part of [FTYP, moov(), head(8 + 64 * 2 ** 20, "free")]) [...splitter.push(part)];
  for (let i = 0; i < 64; i++) assert.deepEqual([...splitter.push(zeros(2 ** 20))], []);
  splitter.end();
});

Deno.test("Splitter stays failed after an error", () => {
  const splitter = new Splitter();
  const garbage = new TextEncoder().encode("not an mp4 at all");
  assert.throws(() => [...splitter.push(garbage)], MediaError);
  assert.throws(() => [...splitter.push(FTYP)], MediaError);
  assert.throws(() => splitter.end(), MediaError);
});
