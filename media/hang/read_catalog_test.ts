import assert from "node:assert/strict";
import { need } from "../../tests/support/require.ts";
import { encode, LIVE } from "../../tests/support/fixtures/ffmpeg_fixtures.ts";
import { MediaError } from "../media_error.ts";
import { Splitter } from "../mp4/splitter.ts";
import { FrameOpener } from "./frame_opener.ts";
import { CatalogVersions, readCatalog } from "./read_catalog.ts";

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

Deno.test("readCatalog() leaves out what cannot be carried, and takes older lists of tracks", () => {
  const { renditions, leftOut } = readCatalog({
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
  assert.equal(leftOut, 3);
  assert.deepEqual(renditions, [
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
  const read = (payload: Uint8Array, first: boolean) => {
    versions.take(payload, first);
    return versions.read();
  };
  assert.equal(read(json({ video: { renditions: { hd } } }), true).renditions.length, 1);
  const sd = { codec: "vp8", codedWidth: 640 };
  assert.equal(read(json({ video: { renditions: { sd } } }), false).renditions.length, 2);
  const left = read(json({ video: { renditions: { hd: null } } }), false);
  assert.deepEqual(left.renditions.map(({ name }) => name), ["sd"]);
  assert.throws(() => read(new Uint8Array([123]), false), MediaError);
  assert.throws(() => read(json(null), false), MediaError);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  read(new TextEncoder().encode('{"__proto__":{"polluted":1}}'), false);
  read(new TextEncoder().encode('{"__proto__":{"polluted":2},"constructor":{"x":1}}'), false);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("of 400 renditions 32 are carried, and each kind has its half", () => {
  const many = (count: number, codec: string, prefix: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, { codec }]));
  const counts = (video: number, audio: number) => {
    const { renditions, leftOut } = readCatalog({
      video: { renditions: many(video, "vp8", "v") },
      audio: { renditions: many(audio, "opus", "a") },
    });
    const sounds = renditions.filter(({ kind }) => kind === "audio").length;
    return [renditions.length - sounds, sounds, leftOut];
  };
  assert.deepEqual(counts(400, 0), [32, 0, 368]);
  assert.deepEqual(counts(400, 2), [30, 2, 370]);
  assert.deepEqual(counts(3, 400), [3, 29, 371]);
  assert.deepEqual(counts(400, 400), [16, 16, 768]);
  assert.deepEqual(counts(1, 1), [1, 1, 0]);
});

Deno.test("codecs that mean something to a playlist or a program are not carried", () => {
  const codecs = [
    ...['vp8",AUDIO="x', "vp8\n#EXT-X-ENDLIST", "vp8,mp4a.40.2", "-i /etc/passwd", "", "vp8\0"],
    ...["v".repeat(65), "ｖp8", "vp8;x", "vp8 "],
  ];
  const renditions = Object.fromEntries(codecs.map((codec, i) => [`v${i}`, { codec }]));
  assert.deepEqual(readCatalog({ video: { renditions } }), {
    renditions: [],
    leftOut: codecs.length,
  });
});

Deno.test("numbers that nothing can have are not believed, names that are no track's not asked for", () => {
  const huge = { codec: "vp8", codedWidth: 16384, codedHeight: 16384, framerate: 1e-300 };
  const odd = { codec: "vp8", codedWidth: 1e308, codedHeight: -1, bitrate: "1", jitter: 1e300 };
  const sound = { codec: "opus", sampleRate: 48_000, numberOfChannels: 2 };
  const { renditions } = readCatalog({
    video: { renditions: { huge, odd, "catalog.json": odd, catalog: odd, "": odd, twice: odd } },
    audio: {
      renditions: {
        twice: sound,
        never: { ...sound, sampleRate: 0 },
        fast: { ...sound, sampleRate: 1e300 },
        many: { ...sound, numberOfChannels: 1e9 },
        half: { ...sound, numberOfChannels: 1.5 },
        good: sound,
      },
    },
  });
  const plain = { kind: "video", codec: "vp8", container: "legacy" };
  assert.deepEqual(renditions, [
    { ...plain, name: "huge" },
    { ...plain, name: "odd" },
    { ...plain, name: "twice" },
    {
      ...{ kind: "audio", name: "good", codec: "opus", container: "legacy" },
      ...{ sampleRateHz: 48_000, channels: 2 },
    },
  ]);
});

Deno.test("a patch of two bytes costs the same, however many renditions the catalog has", () => {
  const versions = new CatalogVersions();
  const renditions = Object.fromEntries(
    Array.from({ length: 8000 }, (_, i) => [`v${i}`, { codec: "vp8" }]),
  );
  versions.take(json({ video: { renditions } }), true);
  const asked: string[] = [];
  const { entries } = Object;
  const { stringify } = JSON;
  // Whoever looks at all of them asks for them by one of these.
  Object.entries = ((of: object) => {
    const found = entries(of);
    if (found.length > 100) asked.push("entries");
    return found;
  }) as typeof entries;
  JSON.stringify = ((of: unknown) => (asked.push("stringify"), stringify(of))) as typeof stringify;
  try {
    for (let i = 0; i < 1000; i++) versions.take(new TextEncoder().encode("{}"), false);
    const one = new TextEncoder().encode('{"video":{"renditions":{"v1":{"codec":"av01"}}}}');
    versions.take(one, false);
  } finally {
    Object.entries = entries;
    JSON.stringify = stringify;
  }
  assert.deepEqual(asked, []);
  assert.equal(versions.read().leftOut, 8000 - 32);
  assert.equal(versions.read().renditions[1]?.codec, "av01");
});

Deno.test("a catalog at the bound is not measured again with every patch: it is refused", () => {
  const versions = new CatalogVersions();
  versions.take(json({ note: "x".repeat(250_000) }), true);
  const small = json({ more: "y".repeat(10_000) });
  versions.take(small, false);
  assert.throws(() => versions.take(small, false), /grown too large/);
});

Deno.test("patches neither nest a catalog deeper nor let it grow without end", () => {
  const versions = new CatalogVersions();
  versions.take(json({}), true);
  const deep = '{"a":'.repeat(50_000) + "1" + "}".repeat(50_000);
  const patch = (text: string) => new TextEncoder().encode(text);
  assert.throws(() => versions.take(patch(deep), false), /levels deep|bytes long/);
  const grown = new CatalogVersions();
  grown.take(json({}), true);
  const note = (i: number) => json({ [`note${i}`]: "x".repeat(100_000) });
  grown.take(note(0), false);
  grown.take(note(1), false);
  assert.throws(() => grown.take(note(2), false), /grown too large/);
  const same = new CatalogVersions();
  same.take(json({}), true);
  for (let i = 0; i < 20; i++) same.take(note(0), false);
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
    const [rendition] = readCatalog(catalog).renditions;
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
