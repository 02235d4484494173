import assert from "node:assert/strict";
import { need } from "../../tests/support/require.ts";
import { encode, LIVE } from "./fmp4/ffmpeg_fixtures.ts";
import { MediaError } from "./fmp4/media_error.ts";
import { Splitter } from "./fmp4/splitter.ts";
import { FrameOpener } from "./frame.ts";
import { CatalogVersions, readCatalog } from "./rendition.ts";

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

Deno.test("readCatalog() leaves out what cannot be carried, and takes older lists of tracks", () => {
  const found = readCatalog({
    chat: {},
    video: {
      renditions: {
        hd: { codec: "avc1.640028", container: { kind: "legacy" }, codedWidth: 1280, jitter: 34 },
        loc: { codec: "vp8", container: { kind: "loc" } },
        elsewhere: { codec: "vp8", broadcast: "../other" },
        broken: { codec: "avc1", container: { kind: "cmaf", init: "not MP4" } },
        odd: 7,
      },
    },
    audio: [{ track: { name: "a" }, config: { codec: "opus", sampleRate: 48000 } }],
  });
  assert.deepEqual(found, [
    {
      kind: "video",
      name: "hd",
      codec: "avc1.640028",
      container: "legacy",
      width: 1280,
      jitterMs: 34,
    },
    {
      kind: "audio",
      name: "a",
      codec: "opus",
      container: "legacy",
      sampleRateHz: 48000,
      channels: 2,
    },
  ]);
  assert.throws(() => readCatalog([]), MediaError);
});

Deno.test("later frames of a catalog's group are merge patches", () => {
  const versions = new CatalogVersions();
  const hd = { codec: "vp8" };
  assert.equal(versions.next(json({ video: { renditions: { hd } } }), true).length, 1);
  const sd = { codec: "vp8", codedWidth: 640 };
  assert.equal(versions.next(json({ video: { renditions: { sd } } }), false).length, 2);
  const left = versions.next(json({ video: { renditions: { hd: null } } }), false);
  assert.deepEqual(left.map(({ name }) => name), ["sd"]);
  assert.throws(() => versions.next(new Uint8Array([123]), false), MediaError);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  versions.next(new TextEncoder().encode('{"__proto__":{"polluted":1}}'), false);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test({
  name: "frames in fragments (cmaf) are taken out with their times; a damaged one is told",
  ignore: !need("ffmpeg").ok,
  async fn() {
    const file = await encode({
      name: "",
      codecs: "-an -c:v libx264 -g 10 -bf 2",
      movflags: LIVE,
      lengthSeconds: 1,
    });
    const fragments = boxes(file);
    const init = fragments.shift()!;
    const catalog = {
      video: {
        renditions: {
          v: { codec: "avc1.64000d", container: { kind: "cmaf", init: init.toBase64() } },
        },
      },
    };
    const [rendition] = readCatalog(catalog);
    assert.equal(rendition!.description![0], 1);
    const opener = new FrameOpener(rendition!);
    const frames = fragments.flatMap((bytes, i) => opener.open(bytes, 0, i)!);
    const whole = [...new Splitter().push(file.slice())].filter((e) => e.type === "sample");
    assert.deepEqual(
      frames.map(({ timestampUs, payload }) => [timestampUs, payload.length]),
      whole.map(({ timestampUs, data }) => [timestampUs, data.length]),
    );
    assert.equal(frames[0]!.keyframe, true);
    assert.equal(opener.open(fragments[0]!.slice(0, 50), 0, 0), undefined);
    assert.equal(opener.open(fragments[0]!, 0, 0)!.length, 1);
  },
});

Deno.test("a legacy frame without bytes is a marker, one cut within its time is damaged", () => {
  const opener = new FrameOpener({ kind: "video", name: "v", codec: "vp8", container: "legacy" });
  assert.deepEqual(opener.open(Uint8Array.of(5), 0, 0), []);
  assert.deepEqual(opener.open(new Uint8Array(), 0, 0), []);
  assert.equal(opener.open(Uint8Array.of(0x80, 1), 0, 0), undefined);
  const [frame] = opener.open(Uint8Array.of(0x41, 0, 9), 3, 0)!;
  assert.deepEqual(frame, {
    ...{ group: 3, index: 0, timestampUs: 256, keyframe: true, payload: Uint8Array.of(9) },
  });
});

/** Header, then every `moof` with its `mdat`. */
function boxes(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const view = new DataView(file.buffer);
  const cuts = [0];
  for (let at = 0; at < file.length; at += view.getUint32(at)) {
    if (new TextDecoder().decode(file.subarray(at + 4, at + 8)) === "moof") cuts.push(at);
  }
  return cuts.map((at, i) => file.slice(at, cuts[i + 1] ?? file.length));
}
