import assert from "node:assert/strict";
import { type Profile, profileByAlpn, profileOf, PROFILES } from "./profile.ts";

/** The table of differences of the notes on the drafts, column by column. */
const EXPECTED: Readonly<Record<string, (p: Profile) => unknown>> = {
  varints: (p) => p.varints.max > 2n ** 62n ? "vi64" : "quic",
  control: (p) => p.control,
  replyIds: (p) => !p.requestStreams,
  pairs: (p) => p.pairDeltas ? "delta" : "absolute",
  setupCount: (p) => p.countedSetup,
  parameters: (p) => p.typedParameters ? "typed" : "pairs",
  maxRequestId: (p) => p.maxRequestId,
  requiredRequestId: (p) => p.requiredRequestId,
  retry: (p) => p.retryInterval,
  redirect: (p) => p.redirect,
  properties: (p) => p.trackProperties,
  propertiesInOk: (p) => p.propertiesInOk,
  subgroupBits: (p) => p.subgroupTypeMask,
  fetchLayout: (p) => p.fetchLayout,
  timedOut: (p) => p.rangeMarkers.includes(0x20c),
  filter: (p) => p.filter,
  manySubscriptions: (p) => p.manySubscriptions,
  finCancels: (p) => p.finCancels,
};
const rows: Readonly<Record<string, readonly unknown[]>> = {
  // drafts       14, 15, 16, 17, 18, 19, 20, 21, 22
  varints: ["quic", "quic", "quic", "vi64", "vi64", "vi64", "vi64", "vi64", "vi64"],
  control: ["bidi", "bidi", "bidi", "uni", "uni", "uni", "uni", "uni", "uni"],
  replyIds: [true, true, true, false, false, false, false, false, false],
  pairs: ["absolute", "absolute", ...Array(7).fill("delta")],
  setupCount: [true, true, true, false, false, false, false, false, false],
  parameters: ["pairs", "pairs", "pairs", ...Array(6).fill("typed")],
  maxRequestId: [true, true, true, false, false, false, false, false, false],
  requiredRequestId: [false, false, false, true, false, false, false, false, false],
  retry: [false, false, true, true, true, true, true, true, true],
  redirect: [false, false, false, false, true, true, true, true, true],
  properties: [false, false, true, true, true, true, true, true, true],
  propertiesInOk: [false, false, false, false, true, true, true, true, true],
  subgroupBits: [0x1f, 0x3f, 0x3f, 0x3f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f],
  fetchLayout: ["full", ...Array(3).fill("absolute"), ...Array(5).fill("delta")],
  timedOut: [false, false, false, false, false, false, true, true, true],
  filter: [...Array(3).fill("absolute"), ...Array(3).fill("delta"), "counted", "counted", "typed"],
  manySubscriptions: [false, false, false, false, false, true, true, true, true],
  finCancels: [false, false, true, true, true, false, false, false, false],
};
for (const [what, expected] of Object.entries(rows)) {
  Deno.test(`the drafts differ in ${what} as the notes say`, () => {
    const found = [...PROFILES].reverse().map((p) => EXPECTED[what]!(p));
    assert.deepEqual(found, expected);
  });
}

Deno.test("drafts are listed newest first, each under its own name", () => {
  assert.deepEqual(PROFILES.map(({ draft }) => draft), [22, 21, 20, 19, 18, 17, 16, 15, 14]);
  for (const profile of PROFILES) {
    assert.equal(profile.name, `moq-transport-${profile.draft}`);
    assert.equal(profileOf(profile.draft), profile);
  }
});

Deno.test("profileByAlpn() knows what names one draft, and leaves draft 14 to SETUP", () => {
  assert.equal(profileByAlpn("moqt-18")?.draft, 18);
  assert.equal(profileByAlpn("moqt-15")?.draft, 15);
  assert.equal(profileByAlpn("moq-00"), undefined);
  assert.equal(profileByAlpn("moqt-14"), undefined);
  assert.equal(profileOf(14).alpn, "moq-00");
});
