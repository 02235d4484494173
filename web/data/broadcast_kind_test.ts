import assert from "node:assert/strict";
import { kindOf } from "./broadcast_kind.ts";

const frames = (tracks: Readonly<Record<string, unknown>>) =>
  new Map(
    Object.entries(tracks).map(([name, value]) => [
      name,
      new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value)),
    ]),
  );

Deno.test("kindOf() takes a hang catalog with renditions for media", () => {
  const { kind, tracks } = kindOf(frames({
    "catalog.json": { video: { renditions: { video0: { codec: "avc1.64001f" } } } },
  }));
  assert.equal(kind, "media");
  assert.deepEqual(tracks[0], { name: "video0", about: "video, avc1.64001f" });
});

Deno.test("kindOf() takes a hang catalog without renditions for data, and finds the tracks it names", () => {
  const { kind, text, tracks } = kindOf(frames({
    "catalog.json": {
      video: { renditions: {} },
      chat: { message: { name: "chat/lines", priority: 1 }, typing: { name: "chat/typing" } },
    },
    data: "x",
  }));
  assert.equal(kind, "data");
  assert.match(text, /no picture and no sound/);
  assert.deepEqual(tracks.map(({ name }) => name), [
    ...["chat/lines", "chat/typing", "data", "catalog.json"],
  ]);
});

Deno.test("kindOf() lists the tracks of an MSF catalog", () => {
  const { kind, tracks } = kindOf(frames({
    catalog: {
      version: 1,
      tracks: [
        {
          name: "1080p",
          packaging: "loc",
          role: "video",
          codec: "av01",
          width: 1920,
          height: 1080,
        },
        { name: 7 },
        null,
        { name: "1080p" },
      ],
    },
  }));
  assert.equal(kind, "msf");
  assert.deepEqual(tracks, [
    { name: "1080p", about: "video, av01, loc, 1920 × 1080" },
    { name: "catalog", about: "the catalog" },
  ]);
});

Deno.test("kindOf() says of a catalog that is none, or of none at all, what it is", () => {
  assert.equal(kindOf(frames({ "catalog.json": "[1]" })).kind, "unreadable");
  assert.equal(kindOf(frames({ "catalog.json": "no JSON" })).kind, "unreadable");
  assert.equal(kindOf(frames({ catalog: "\x00\x01" })).kind, "unreadable");
  assert.deepEqual(kindOf(frames({ data: "hello" })).tracks, [
    { name: "data", about: "first frame of 5 bytes" },
  ]);
  assert.match(kindOf(new Map()).text, /If you know the name of one/);
});

Deno.test("kindOf() is not led astray by a catalog of somebody else's making", () => {
  let deep: unknown = { name: "too deep" };
  for (let i = 0; i < 10; i++) deep = { deep };
  const told = (catalog: unknown) => {
    const { kind, tracks } = kindOf(frames({ "catalog.json": catalog }));
    return [kind, ...tracks.map(({ name }) => name)];
  };
  assert.deepEqual(told({ deep }), ["data", "catalog.json"]);
  for (let i = 0; i < 1000; i++) deep = { deep };
  assert.deepEqual(told({ deep }), ["unreadable", "catalog.json"]);
  assert.deepEqual(told({ large: "x".repeat(1 << 20) }), ["unreadable", "catalog.json"]);
  const many = Array.from({ length: 10_000 }, (_, i) => ({ name: `t${i}` }));
  assert.equal(kindOf(frames({ catalog: { tracks: many } })).tracks.length, 100);
  const renditions = Object.fromEntries(many.map(({ name }) => [name, { codec: "vp8" }]));
  assert.equal(kindOf(frames({ "catalog.json": { video: { renditions } } })).tracks.length, 101);
});
