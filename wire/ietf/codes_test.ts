import assert from "node:assert/strict";
import {
  doneCode,
  doneWord,
  requestCode,
  requestWord,
  sessionCode,
  sessionWord,
  streamCode,
  streamWord,
} from "./codes.ts";
import type { Request } from "./dialect.ts";
import { profileOf, PROFILES } from "./profile.ts";

const REQUESTS: readonly Request[] = [
  ...["subscribe", "update", "trackStatus", "publish", "fetch"] as const,
  ...["publishNamespace", "subscribeNamespace", "subscribeTracks"] as const,
];
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

Deno.test("every code of a draft has one word, and every word gives its code back", () => {
  for (const profile of PROFILES) {
    for (const code of range(0x40)) {
      const request = REQUESTS[code % REQUESTS.length]!;
      const pairs: [string, number, number][] = [
        [sessionWord(profile, code), sessionCode(profile, sessionWord(profile, code)), 1],
        [streamWord(profile, code), streamCode(profile, streamWord(profile, code)), 0],
        [doneWord(profile, code), doneCode(profile, doneWord(profile, code)), 0],
        [
          requestWord(profile, request, code),
          requestCode(profile, request, requestWord(profile, request, code)),
          0,
        ],
      ];
      for (const [word, back, internal] of pairs) {
        assert.equal(back, word === "internal" ? internal : code, `${profile.name} ${word}`);
      }
    }
  }
});

Deno.test("a track that is not there: 4 in draft 14, 0x10 later; where nobody asked for one, internal", () => {
  for (const profile of PROFILES) {
    const is14 = profile.draft === 14;
    assert.equal(requestCode(profile, "subscribe", "doesNotExist"), is14 ? 4 : 0x10);
    assert.equal(requestCode(profile, "fetch", "unroutable"), is14 ? 4 : 0x10);
    assert.equal(requestCode(profile, "publish", "doesNotExist"), is14 ? 0 : 0x10);
    assert.equal(requestCode(profile, "publish", "uninterested"), is14 ? 4 : 0x20);
    assert.equal(requestCode(profile, "subscribeNamespace", "prefixOverlap"), is14 ? 5 : 0x30);
    assert.equal(requestCode(profile, "subscribe", "expiredToken"), is14 ? 0x12 : 5);
  }
  assert.equal(requestWord(profileOf(14), "subscribe", 4), "doesNotExist");
  assert.equal(requestWord(profileOf(14), "publish", 4), "uninterested");
  assert.equal(requestWord(profileOf(15), "subscribe", 4), "malformedToken");
});

Deno.test("what has expired and what fell behind have changed their codes in draft 18", () => {
  for (const profile of PROFILES) {
    const turned = profile.draft >= 18;
    assert.equal(doneCode(profile, "expired"), turned ? 6 : 5);
    assert.equal(doneCode(profile, "tooFarBehind"), turned ? 5 : 6);
    assert.equal(doneWord(profile, 5), turned ? "tooFarBehind" : "expired");
    assert.equal(doneCode(profile, "malformedTrack"), profile.draft < 16 ? 7 : 0x12);
    assert.equal(doneCode(profile, "subscriptionEnded"), profile.draft < 20 ? 3 : 2);
  }
});

Deno.test("a stream's code 4 is an unknown status in 16 and 17, and leaving from 18 on", () => {
  assert.equal(streamWord(profileOf(15), 4), "internal");
  assert.equal(streamWord(profileOf(17), 4), "unknownStatus");
  assert.equal(streamWord(profileOf(18), 4), "goingAway");
  assert.equal(streamCode(profileOf(17), "goingAway"), 0);
});

Deno.test("the project's reasons have a code in every draft: the nearest, or internal", () => {
  for (const profile of PROFILES) {
    const session: [string, number][] = [
      ["none", 0],
      ["unauthorized", 2],
      ["protocolViolation", 3],
      ["goawayTimeout", 0x10],
      ["controlTimeout", 0x11],
      ["version", 0x15],
      ["notFound", 8],
      ["misdirected", 0x19],
      ["tooMany", 1],
      ["unreachable", 1],
      ["unavailable", 1],
    ];
    for (const [reason, code] of session) assert.equal(sessionCode(profile, reason), code, reason);
    assert.equal(streamCode(profile, "cancel"), 1);
    assert.equal(streamCode(profile, "old"), 2);
    assert.equal(streamCode(profile, "sessionClosed"), 3);
    assert.equal(streamCode(profile, "evicted"), profile.draft < 17 ? 0 : 5);
    assert.equal(streamCode(profile, "tooMany"), profile.draft < 17 ? 0 : 9);
    for (const reason of ["groupTooLarge", "frameTooLarge", "notFound", "unroutable", "toString"]) {
      assert.ok([0, 1].includes(streamCode(profile, reason)), reason);
    }
  }
});

Deno.test("too many updates, and too many requests, are violations where there is no code for them", () => {
  assert.equal(sessionCode(profileOf(19), "tooManyUpdates"), 0x1b);
  assert.equal(sessionCode(profileOf(18), "tooManyUpdates"), 3);
  assert.equal(sessionCode(profileOf(16), "tooManyRequests"), 7);
  assert.equal(sessionCode(profileOf(17), "tooManyRequests"), 3);
  assert.equal(sessionWord(profileOf(17), 7), "invalidRequiredRequestId");
});
