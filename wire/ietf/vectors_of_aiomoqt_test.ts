/** Control messages as aiomoqt 0.13.3 writes them, beside those in `vectors_test.ts`. */
import assert from "node:assert/strict";
import {
  assertBothWays,
  assertRead,
  bytes,
  FROM_18,
  FROM_20,
  namespace,
  none,
  NS,
  prefix,
  TRACK,
  track,
  UP_TO_16,
  utf8,
} from "../../tests/support/ietf_vectors.ts";
import { type ControlMessage, dialectOfDraft } from "./dialect.ts";
import type { Draft } from "./profile.ts";

const URI = "09 6d6f71743a2f2f612f"; // "moqt://a/"
const goaway = (timeoutMs: number | undefined, requestId?: number): ControlMessage => ({
  kind: "goaway",
  value: { uri: "moqt://a/", timeoutMs, requestId },
});
assertBothWays(UP_TO_16, goaway(undefined), `10 000a ${URI}`);
assertBothWays([18], goaway(500, 4), `10 000d ${URI} 81f4 04`);
assertBothWays([17, 19, ...FROM_20], goaway(500), `10 000c ${URI} 81f4`);

// Filters

const subscribe = (parameters: object): ControlMessage => ({
  kind: "subscribe",
  value: { requestId: 0, namespace, track, parameters },
});
const wishes = { priority: 7, groupOrder: "descending", forward: false };
const bounded = {
  ...wishes,
  filter: { kind: "range", start: { group: 5, object: 1 }, end: { group: 9 } },
};
assertBothWays([14], subscribe(bounded), `03 0026 00 ${NS} ${TRACK} 07 02 00 04 05 01 09 00`);
assertBothWays(
  [16],
  subscribe(bounded),
  `03 002b 00 ${NS} ${TRACK} 04 1000 1007 010404050109 0102`,
);
assertBothWays(
  [18, 19],
  subscribe(bounded),
  `03 002b 00 ${NS} ${TRACK} 04 1000 1007 010404050104 0102`,
);
assertBothWays(
  [20, 21],
  subscribe(bounded),
  `03 002a 00 ${NS} ${TRACK} 04 1000 1007 0103050104 0102`,
);
assertBothWays([22], subscribe(bounded), `03 002a 00 ${NS} ${TRACK} 04 1000 1007 0103050104 0102`);

const usual = { priority: 128, groupOrder: "ascending", forward: true };
const filling = {
  ...usual,
  filter: { kind: "next-object" },
  fill: { filter: { kind: "groups-back", groups: 1 } },
};
assertBothWays(
  [20, 21],
  subscribe(filling),
  `03 002f 00 ${NS} ${TRACK} 05 1001 1080 01020000 0101 0104 01210101`,
);
assertBothWays(
  [22],
  subscribe(filling),
  `03 002d 00 ${NS} ${TRACK} 05 1001 1080 0105 0101 0104 01210101`,
);
const conditions = {
  ...usual,
  filter: { kind: "range", start: { group: 5, object: 1 }, end: { group: 9, object: 3 } },
  rangeFilters: [
    { on: "object", set: 0, ranges: [{ start: 3, end: 5 }, { start: 10, end: 15 }] },
    { on: "object-property", set: 1, property: 0x10, ranges: [{ start: 7 }] },
  ],
  includeProperties: false,
};
assertBothWays(
  FROM_20,
  subscribe(conditions),
  `03 0039 00 ${NS} ${TRACK} 07 1001 1080 010405010403 0101 04050003020505 0203011007 0d00`,
);

// Tokens and timeouts

const nextGroup = { kind: "groups-back", groups: 0 };
const tokens = [{ kind: "value", type: 0, value: utf8("jwt") }] as const;
const shown = { ...usual, filter: nextGroup, tokens };
const JWT = "05 03 00 6a7774";
assertBothWays([14], subscribe(shown), `03 002a 00 ${NS} ${TRACK} 80 01 01 01 01 03${JWT}`);
assertBothWays(
  [16],
  subscribe(shown),
  `03 0030 00 ${NS} ${TRACK} 05 03${JWT} 0d01 104080 010101 0101`,
);
assertBothWays(
  [18, 19],
  subscribe(shown),
  `03 002f 00 ${NS} ${TRACK} 05 03${JWT} 0d01 1080 010101 0101`,
);
assertBothWays(
  [20, 21],
  subscribe(shown),
  `03 002f 00 ${NS} ${TRACK} 05 03${JWT} 0d01 1080 010100 0101`,
);
const timed = { ...usual, filter: nextGroup, deliveryTimeoutMs: 500 };
assertBothWays([14], subscribe(timed), `03 0026 00 ${NS} ${TRACK} 80 01 01 01 01 0241f4`);
assertBothWays(
  [16],
  subscribe(timed),
  `03 002c 00 ${NS} ${TRACK} 05 0241f4 0e01 104080 010101 0101`,
);
const waiting = { ...timed, rendezvousTimeoutMs: 300 };
assertBothWays(
  [18, 19],
  subscribe(waiting),
  `03 002e 00 ${NS} ${TRACK} 06 0281f4 02812c 0c01 1080 010101 0101`,
);
assertBothWays(
  [14],
  { kind: "clientSetup", value: { versions: [0xff00000e], options: { maxRequestId: 10, tokens } } },
  `20 0013 01 c0000000ff00000e 02 020a 03${JWT}`,
);
assertBothWays(
  [16],
  { kind: "clientSetup", value: { versions: [], options: { maxRequestId: 10, tokens } } },
  `20 000a 02 020a 01${JWT}`,
);
assertBothWays(
  FROM_18,
  { kind: "clientSetup", value: { versions: [], options: { tokens } } },
  `af00 0007 03${JWT}`,
);
assertBothWays(
  FROM_20,
  {
    kind: "clientSetup",
    value: { versions: [], options: { tokens, maxFilterRanges: 4, maxRequestUpdates: 2 } },
  },
  `af00 000b 03${JWT} 0304 0202`,
);

// Updates, and the state of a track

assertBothWays(
  [14],
  {
    kind: "update",
    value: {
      requestId: 2,
      existing: 0,
      parameters: {
        filter: { kind: "range", start: { group: 5, object: 1 }, end: { group: 9 } },
        priority: 7,
        forward: true,
      },
    },
  },
  "02 0008 02 00 05 01 0a 07 01 00",
);
assertBothWays(
  [14],
  {
    kind: "trackStatus",
    value: {
      requestId: 0,
      namespace,
      track,
      parameters: { ...usual, filter: { kind: "next-object" } },
    } as never,
  },
  `0d 0023 00 ${NS} ${TRACK} 80 01 01 02 00`,
);
assertBothWays(
  [15, 16, ...FROM_18],
  { kind: "trackStatus", value: { requestId: 0, namespace, track, parameters: {} } },
  `0d 001f 00 ${NS} ${TRACK} 00`,
);
const largest = { group: 3, object: 9 };
assertBothWays(
  FROM_18,
  {
    kind: "requestOk",
    value: { requestId: undefined, parameters: { largest }, properties: bytes("0e05") },
  },
  "07 0006 01 090309 0e05",
  "trackStatus",
);
assertBothWays(
  FROM_20,
  {
    kind: "publishStateNotify",
    value: {
      parameters: { largest, forward: true, filter: { kind: "groups-back", groups: 1 } },
    },
  },
  "22 0009 03 090309 0701 110101",
);

// FETCH

const fetchOk = (requestId: number | undefined, parameters = {}, extra = none): ControlMessage => ({
  kind: "fetchOk",
  value: {
    requestId,
    endOfTrack: extra === none,
    end: { group: 9, object: 5 },
    parameters,
    properties: extra,
  },
});
assertBothWays([14], fetchOk(4, { groupOrder: "ascending" }), "18 0006 04 01 01 09 06 00");
// GROUP_ORDER has no place in FETCH_OK of 16: it is stepped over.
assertRead([16], fetchOk(4), "18 0007 04 01 09 06 01 2201");
assertBothWays([18, 19], fetchOk(undefined), "18 0004 01 09 06 00");
assertBothWays(FROM_20, fetchOk(undefined), "18 0004 01 09 05 00");
assertBothWays([16], fetchOk(4, {}, bytes("0e051402")), "18 0009 04 00 09 06 00 0e051402");
assertBothWays([18, 19], fetchOk(undefined, {}, bytes("0e051402")), "18 0008 00 09 06 00 0e051402");
assertBothWays(FROM_20, fetchOk(undefined, {}, bytes("0e051402")), "18 0008 00 09 05 00 0e051402");

const fetched = {
  priority: 7,
  groupOrder: "descending",
  filter: { kind: "range", start: { group: 1, object: 2 }, end: { group: 9, object: 5 } },
};
const fetch: ControlMessage = {
  kind: "fetch",
  value: {
    requestId: 4,
    target: { kind: "track", namespace, track },
    parameters: fetched,
  } as never,
};
assertBothWays([14], fetch, `16 0026 04 07 02 01 ${NS} ${TRACK} 01 02 09 06 00`);
assertBothWays([16], fetch, `16 0028 04 01 ${NS} ${TRACK} 01 02 09 06 02 2007 0202`);
assertBothWays([18, 19], fetch, `16 0028 04 01 ${NS} ${TRACK} 01 02 09 06 02 2007 0202`);
assertBothWays([20, 21], fetch, `16 0029 04 ${NS} ${TRACK} 03 2007 010401020805 0102`);
assertBothWays([22], fetch, `16 0029 04 ${NS} ${TRACK} 03 2007 010401020805 0102`);
const joining: ControlMessage = {
  kind: "fetch",
  value: {
    requestId: 4,
    target: { kind: "joining", subscription: 0, from: "group", group: 5 },
    parameters: { priority: 7, groupOrder: "descending" },
  },
};
assertBothWays([14], joining, "16 0007 04 07 02 03 00 05 00");
assertBothWays([16], joining, "16 0009 04 03 00 05 02 2007 0202");
assertBothWays([18, 19], joining, "16 0009 04 03 00 05 02 2007 0202");

// Properties of a track

const publish = (parameters: object, properties: Uint8Array): ControlMessage => ({
  kind: "publish",
  value: { requestId: 1, namespace, track, alias: 7, parameters, properties },
});
const there = { largest, forward: false };
assertBothWays(
  [14],
  publish({ ...there, groupOrder: "ascending" }, none),
  `1d 0025 01 ${NS} ${TRACK} 07 01 01 03 09 00 00`,
);
assertBothWays(
  [16],
  publish(there, bytes("0443e80a05")),
  `1d 002b 01 ${NS} ${TRACK} 07 02 09020309 0700 0443e8 0a05`,
);
assertBothWays(
  FROM_18,
  publish(there, bytes("0483e80a05")),
  `1d 002a 01 ${NS} ${TRACK} 07 02 090309 0700 0483e8 0a05`,
);
const subscribeOk = (requestId: number | undefined): ControlMessage => ({
  kind: "subscribeOk",
  value: {
    requestId,
    alias: 7,
    parameters: { expiresMs: 0, largest },
    properties: bytes("0e052201"),
  },
});
assertBothWays([16], subscribeOk(0), "04 000d 00 07 02 0800 01020309 0e05 2201");
assertBothWays(FROM_18, subscribeOk(undefined), "04 000b 07 02 0800 010309 0e05 2201");

// Refusals

const refused = (requestId: number | undefined): ControlMessage => ({
  kind: "requestError",
  value: { requestId, code: 0x10, retryMs: 999, reason: "nf", redirect: undefined },
});
assertBothWays([16], refused(0), "05 0007 00 10 43e8 02 6e66");
assertBothWays(FROM_18, refused(undefined), "05 0006 10 83e8 02 6e66");
assertBothWays(
  FROM_18,
  {
    kind: "requestError",
    value: {
      requestId: undefined,
      code: 0x34,
      retryMs: undefined,
      reason: "go",
      redirect: { uri: "moqt://a/", namespace, track },
    },
  },
  `05 002c 34 00 02 676f ${URI} ${NS} ${TRACK}`,
);
assertBothWays(
  FROM_18,
  { kind: "publishBlocked", value: { suffix: [utf8("x")], track: utf8("t") } },
  "0f 0005 01 01 78 01 74",
);
assertBothWays(
  [14],
  {
    kind: "publishNamespaceCancel",
    value: { requestId: undefined, namespace, code: 3, reason: "no" },
  },
  `0c 0016 ${NS} 03 02 6e6f`,
);
assertBothWays(
  [16],
  {
    kind: "publishNamespaceCancel",
    value: { requestId: 0, namespace: undefined, code: 3, reason: "no" },
  },
  "0c 0005 00 03 02 6e6f",
);

Deno.test("the prefix in REQUEST_UPDATE is read bare and, as aiomoqt writes it on 18 and 20, behind its length", () => {
  const update: ControlMessage = {
    kind: "update",
    value: { requestId: 2, existing: undefined, parameters: { prefix } },
  };
  for (const draft of [18, 20, 22] as Draft[]) {
    const dialect = dialectOfDraft(draft);
    const bare = bytes("02 01 34 01 08 6d6f712d74657374");
    const sized = bytes("02 01 34 0a 01 08 6d6f712d74657374");
    assert.deepEqual(dialect.decode(0x02, bare), update);
    assert.deepEqual(dialect.decode(0x02, sized), update);
  }
});
