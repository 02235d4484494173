import assert from "node:assert/strict";
import { masked, withoutSecrets } from "./masking.ts";

Deno.test("masked() hides the whole password before a host, whatever stands in it", () => {
  for (
    const [text, shown] of [
      ["rtsp://me:hunter2@cam/live", "rtsp://me:***@cam/live"],
      ["rtsp://me:p@ss@cam/live", "rtsp://me:***@cam/live"],
      ["rtsp://me:p@s@s:w@cam:554/live?x=1", "rtsp://me:***@cam:554/live?x=1"],
      ["rtsp://me:p/a?s#s@cam/live", "rtsp://me:***@cam/live"],
      [`https://me:it's"so@host/`, "https://me:***@host/"],
      ["redis://:only@10.0.0.2/1", "redis://:***@10.0.0.2/1"],
      ["https://ghp_token@host/repo", "https://***@host/repo"],
      ["me:p@ss@redis:6379", "me:***@redis:6379"],
      ["from rtsp://a:b@c to rtmp://d:e@f failed", "from rtsp://a:***@c to rtmp://d:***@f failed"],
    ] as const
  ) assert.equal(masked(text), shown);
});

Deno.test("masked() leaves addresses alone that hold no secret", () => {
  for (
    const text of [
      "https://relay.example:4433/@home/cam?x=1@2",
      "http://127.0.0.1:8080/a@b",
      "http://[::1]:4433/a@b",
      "https://host/?monkey=1&keyframe=2",
      "redis:6379",
      "[::]:4433",
      "mail me@example.org: no",
      "a/b@c",
    ]
  ) assert.equal(masked(text), text);
});

Deno.test("masked() hides every parameter that names a secret", () => {
  for (
    const name of [
      ...["jwt", "token", "access_token", "auth", "key", "secret", "password", "passphrase"],
      ...[
        "pwd",
        "sig",
        "client_secret",
        "apikey",
        "api_key",
        "X-Amz-Signature",
        "X-Amz-Credential",
      ],
    ]
  ) assert.equal(masked(`/live?a=1&${name}=s3cr3t&b=2#x`), `/live?a=1&${name}=***&b=2#x`, name);
  assert.equal(masked("https://host/#token=abc"), "https://host/#token=***");
});

Deno.test("withoutSecrets() hides what stands below a name of a secret, of any type", () => {
  const options = {
    url: "rtsp://me:p@ss@cam/",
    urls: ["https://h/?token=x"],
    password: 1234,
    credentials: { id: "a", more: ["b", 5] },
    headers: { Authorization: "Bearer abc" },
    keyframe_interval: 2,
    key: 99,
    token: "",
    quiet: true,
    nothing: null,
  };
  assert.deepEqual(withoutSecrets(options), {
    url: "rtsp://me:***@cam/",
    urls: ["https://h/?token=***"],
    password: "***",
    credentials: { id: "***", more: ["***", "***"] },
    headers: { Authorization: "***" },
    keyframe_interval: 2,
    key: "***",
    token: "",
    quiet: true,
    nothing: null,
  });
});

Deno.test("masked() does bounded work for each character of a text that a peer chose", () => {
  // Each beginning of a match is tried once; without bounds these take the square of their length.
  for (const piece of ["://a:b", "&token", "?secret", "://"]) {
    const text = piece.repeat(20_000);
    assert.equal(masked(text), text);
  }
});
