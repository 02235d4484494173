import assert from "node:assert/strict";
import fc from "fast-check";
import { refusalOf } from "./stream_key.ts";

const wanted = { app: "live", key: "s3cret" };
const asks = (name: string, app = "live", tcUrl = "rtmp://h/live") => ({ app, tcUrl, name });

Deno.test("the key lets in as the stream's name, before its query, or as `key` of a query", () => {
  for (
    const asked of [
      asks("s3cret"),
      asks("/s3cret"),
      asks("s3cret?bandwidthtest=true"),
      asks("cam?key=s3cret"),
      asks("?user=me&key=s3%63ret"),
      asks("cam", "live?key=s3cret"),
      asks("cam", "live/", "rtmp://h/live?key=s3cret"),
    ]
  ) assert.equal(refusalOf(asked, wanted), undefined, JSON.stringify(asked));
  // A key with the signs of an address in it, and what clients make of it.
  const odd = { app: "/live/", key: "a/b?c=d&e" };
  for (const asked of [asks("a/b?c=d&e"), asks("b?c=d&e", "live/a")]) {
    assert.equal(refusalOf(asked, odd), undefined);
  }
});

Deno.test("nothing else lets in: not a phrase of a log, not a part of the key, not another case", () => {
  const names = [
    "",
    "?",
    "s3cre",
    "s3cret ",
    "S3CRET",
    "deprecated pixel format",
    "?key=",
    "?key=",
  ];
  names.push("deprecated pixel format?key=wrong", "cam?Key=s3cret", "cam?key=wrong&key=s3cret");
  names.push("cam#key=s3cret", "s3cret/x", "x/s3cret");
  for (const name of names) assert.match(refusalOf(asks(name), wanted)!, /stream key is not/, name);
  for (const app of ["", "LIVE", "live2", "other", "liv"]) {
    assert.equal(refusalOf(asks("s3cret", app), wanted), "it does not publish to /live");
  }
});

Deno.test("without a key whoever names the application may publish", () => {
  const open = { app: "live", key: undefined };
  assert.equal(refusalOf(asks(""), open), undefined);
  assert.equal(refusalOf(asks("any?key=any"), open), undefined);
  assert.match(refusalOf(asks("any", "other"), open)!, /does not publish to/);
});

Deno.test("no name without the key in it is ever let in", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (name, query) => {
    fc.pre(!`${name}${query}`.includes("s3cret") && !query.includes("%") && !name.includes("%"));
    assert.notEqual(
      refusalOf(asks(name, `live?${query}`, `rtmp://h/live?${query}`), wanted),
      undefined,
    );
  }));
});
