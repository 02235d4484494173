import assert from "node:assert/strict";
import { masterPlaylist } from "./playlist.ts";

Deno.test("no name of a publisher's track ends an attribute or a line of a playlist", () => {
  const name = 'a"\r\n#EXT-X-ENDLIST\u0085\u2028\0b,URI="http://evil.example/';
  const uri = encodeURIComponent(name);
  const rates = { peakBitrate: 1, meanBitrate: 1 };
  const common = { container: "legacy", name } as const;
  const text = masterPlaylist([
    { rendition: { ...common, kind: "video", codec: "vp8" }, uri, ...rates },
    {
      rendition: { ...common, kind: "audio", codec: "opus", sampleRateHz: 48_000, channels: 2 },
      uri,
      ...rates,
    },
  ]);
  const lines = text.split(/[\n\r\u0085\u2028]/);
  assert.equal(lines.length, 7, text);
  assert.ok(!lines.some((line) => line.startsWith("#EXT-X-ENDLIST")));
  const media = lines.find((line) => line.startsWith("#EXT-X-MEDIA"))!;
  assert.equal(media.split('"').length, 9, media);
  assert.equal(media.match(/[,:]URI="[^"]*"/g)!.length, 1, media);
  assert.doesNotMatch(media, /\0/);
});
