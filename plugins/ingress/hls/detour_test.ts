import assert from "node:assert/strict";
import { detoured, detourOf, meantBy } from "./detour.ts";

Deno.test("an address that takes the detour comes back as it was", () => {
  for (
    const url of [
      "http://example.com/a/b.m3u8?c=d&e=%2F",
      "https://example.com/live.m3u8",
      "https://example.com:8443/",
      "https://[2001:db8::1]:8443/x?y",
      "http://[2001:db8::1]/x",
      "https://10.0.0.1/x",
    ]
  ) {
    const detour = detourOf(new URL(url));
    assert.match(detour, /^http:\/\//);
    assert.equal(meantBy(detour)!.href, url);
  }
  assert.equal(meantBy("/origin-form"), undefined);
  assert.equal(meantBy("ftp://example.com/"), undefined);
});

Deno.test("detoured() changes the absolute addresses of a playlist, quoted or not, and nothing else", () => {
  const from = new URL("https://cdn.example/a/index.m3u8");
  const playlist = [
    "#EXTM3U",
    '#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example:8443/1?x=//y",IV=0x1',
    "#EXT-X-KEY:METHOD=AES-128,URI=HTTPS://keys.example/2",
    '#EXT-X-MAP:URI="//maps.example/init.mp4"',
    "#EXTINF:4,",
    "https://user:pw@[2001:db8::1]/3.ts",
    "http://plain.example/4.ts",
    "//cdn2.example/5.ts",
    "relative//6.ts",
    "/7.ts",
  ].join("\n");
  assert.deepEqual(detoured(playlist, from).split("\n"), [
    "#EXTM3U",
    '#EXT-X-KEY:METHOD=AES-128,URI="http://https.keys.example:8443/1?x=//y",IV=0x1',
    "#EXT-X-KEY:METHOD=AES-128,URI=http://https.keys.example/2",
    '#EXT-X-MAP:URI="http://https.maps.example/init.mp4"',
    "#EXTINF:4,",
    "http://https.ipv6-2001-db8--1/3.ts",
    "http://plain.example/4.ts",
    "http://https.cdn2.example/5.ts",
    "relative//6.ts",
    "/7.ts",
  ]);
});

Deno.test("detoured() reads 4 MB of brackets that nobody closes once, and not once for each", () => {
  const count = 460_000; // by squares it takes half an hour
  const playlist = "https://[".repeat(count);
  const changed = detoured(playlist, new URL("https://cdn.example/"));
  assert.equal(changed, "http://https.[".repeat(count));
});
