import assert from "node:assert/strict";
import { dialectByAlpn, dialectOf, DIALECTS } from "./dialect.ts";
import type { LiteVersionName } from "../versions.ts";

/** What each version has, according to the drafts' table of changes. */
const expected = {
  "moq-lite-01": ["legacy", "init", "nobody", "untyped"],
  "moq-lite-02": ["legacy", "init", "nobody", "untyped"],
  "moq-lite-03": ["none", "nothing", "nobody", "ok", "update", "fetch", "probe"],
  "moq-lite-04": [
    "none",
    "nothing",
    "sender",
    "ok",
    "update",
    "fetch",
    "probe",
    "goaway",
    "excludesHop",
  ],
  "moq-lite-05": [
    ...["uni", "ok", "receiver", "start", "update", "fetch", "probe", "goaway", "excludesHop"],
    ...["track", "timestamps", "announceUpdates"],
  ],
  "moq-lite-06": [
    ...["uni", "ok", "receiver", "start", "update", "fetch", "probe", "goaway"],
    ...["track", "timestamps", "announceUpdates", "typed", "frameBounds", "startIsFloor"],
  ],
};

for (const [name, has] of Object.entries(expected)) {
  Deno.test(`${name} is put together as its draft says`, () => {
    const d = dialectOf(name as LiteVersionName);
    const found: string[] = [d.setup, d.announceFirst, d.hopAppendedBy, d.replies];
    if (d.subscribeUpdate !== undefined) found.push("update");
    if (d.fetch !== undefined) found.push("fetch");
    if (d.probe !== undefined) found.push("probe");
    if (d.goaway) found.push("goaway");
    if (d.excludesHop) found.push("excludesHop");
    if (d.trackInfo !== undefined) found.push("track");
    if (d.timestamps) found.push("timestamps");
    if (d.announceUpdates) found.push("announceUpdates");
    if (d.announce === "typed") found.push("typed");
    if (d.frameBounds) found.push("frameBounds");
    if (d.startIsFloor) found.push("startIsFloor");
    assert.deepEqual(found, has);
  });
}

Deno.test("an untyped or typed SUBSCRIBE_OK has its message, START has none", () => {
  for (const d of DIALECTS) {
    assert.equal(d.subscribeOk !== undefined, d.replies !== "start", d.name);
  }
});

Deno.test("dialectByAlpn() leaves the legacy name to SETUP and knows no work in progress", () => {
  assert.equal(dialectByAlpn("moq-lite-04")?.version, 4);
  assert.equal(dialectByAlpn("moql"), undefined);
  assert.equal(dialectByAlpn("moq-lite-06-wip"), undefined);
});
