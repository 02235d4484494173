/**
 * Control messages as they stand on the stream: type, length, body, for each draft. The bytes are those of the notes on the
 * drafts, which other implementations have written.
 */
import {
  assertBothWays,
  assertRead,
  FROM_16,
  FROM_17,
  FROM_18,
  FROM_20,
  namespace,
  none,
  NS,
  PREFIX,
  prefix,
  TRACK,
  track,
  UP_TO_16,
  utf8,
} from "../../tests/support/ietf_vectors.ts";
import type { ControlMessage } from "./dialect.ts";

// SETUP, as seen on a listener

const authority = "localhost:14460";
const implementation = "aiomoqt/0.13.3";
const AUTHORITY = "0f 6c6f63616c686f73743a3134343630";
const PROGRAM = "0e 61696f6d6f71742f302e31332e33";
const aiomoqt = { path: "", authority, implementation };
assertRead(
  [14],
  {
    kind: "clientSetup",
    value: { versions: [0xff00000e], options: { ...aiomoqt, maxRequestId: 10_000 } },
  },
  `20 0030 01 c0000000ff00000e 04 0100 05${AUTHORITY} 07${PROGRAM} 026710`,
);
assertBothWays(
  [16],
  {
    kind: "clientSetup",
    value: { versions: [], options: { ...aiomoqt, maxRequestId: 10_000 } },
  },
  `20 0027 04 0100 016710 03${AUTHORITY} 02${PROGRAM}`,
);
assertBothWays(
  [16],
  { kind: "clientSetup", value: { versions: [], options: { maxRequestId: 100 } } },
  "20 0004 01 024064",
);
assertBothWays(
  FROM_17,
  { kind: "clientSetup", value: { versions: [], options: aiomoqt } },
  `af00 0023 0100 04${AUTHORITY} 02${PROGRAM}`,
);
assertBothWays(
  [14],
  { kind: "serverSetup", value: { versions: [0xff00000e], options: { maxRequestId: 100 } } },
  "21 000c c0000000ff00000e 01 024064",
);

// SUBSCRIBE and its answers

const wishes = {
  priority: 128,
  groupOrder: "ascending",
  forward: true,
  filter: { kind: "next-object" },
} as const;
const subscribe: ControlMessage = {
  kind: "subscribe",
  value: { requestId: 0, namespace, track, parameters: wishes },
};
assertBothWays([14], subscribe, `03 0023 00 ${NS} ${TRACK} 80 01 01 02 00`);
assertBothWays([15], subscribe, `03 0029 00 ${NS} ${TRACK} 04 1001 204080 210102 2201`);
assertBothWays([16], subscribe, `03 0029 00 ${NS} ${TRACK} 04 1001 104080 010102 0101`);
assertBothWays([17], subscribe, `03 0029 00 00 ${NS} ${TRACK} 04 1001 1080 010102 0101`);
assertBothWays([18, 19], subscribe, `03 0028 00 ${NS} ${TRACK} 04 1001 1080 010102 0101`);
assertBothWays([20, 21], subscribe, `03 0029 00 ${NS} ${TRACK} 04 1001 1080 01020000 0101`);
assertBothWays([22], subscribe, `03 0027 00 ${NS} ${TRACK} 04 1001 1080 0105 0101`);

const largest = { group: 3, object: 9 };
const subscribeOk14: ControlMessage = {
  kind: "subscribeOk",
  value: {
    requestId: 0,
    alias: 7,
    parameters: { expiresMs: 0, groupOrder: "ascending", largest },
    properties: none,
  },
};
assertBothWays([14], subscribeOk14, "04 0008 00 07 00 01 01 03 09 00");
const subscribeOk = (requestId: number | undefined): ControlMessage => ({
  kind: "subscribeOk",
  value: { requestId, alias: 7, parameters: { expiresMs: 0, largest }, properties: none },
});
assertBothWays([16], subscribeOk(0), "04 0009 00 07 02 0800 01 02 0309");
assertBothWays(FROM_17, subscribeOk(undefined), "04 0007 07 02 0800 01 0309");

const refused = { code: 4, reason: "nf", retryMs: undefined, redirect: undefined };
const error = (requestId: number | undefined, code: number): ControlMessage => ({
  kind: "requestError",
  value: { ...refused, requestId, code },
});
assertBothWays([14], error(0, 4), "05 0005 00 04 02 6e66", "subscribe");
assertBothWays([15], error(0, 0x10), "05 0005 00 10 02 6e66");
assertBothWays([16], error(0, 0x10), "05 0006 00 10 00 02 6e66");
assertBothWays(FROM_17, error(undefined, 0x10), "05 0005 10 00 02 6e66");

// Namespaces

assertBothWays(
  [14, 15, 16, 18, 19, 20, 21, 22],
  { kind: "publishNamespace", value: { requestId: 0, namespace, parameters: {} } },
  `06 0014 00 ${NS} 00`,
);
assertBothWays(
  [17],
  { kind: "publishNamespace", value: { requestId: 0, namespace, parameters: {} } },
  `06 0015 00 00 ${NS} 00`,
);
const ok = (requestId: number | undefined): ControlMessage => ({
  kind: "requestOk",
  value: { requestId, parameters: {}, properties: none },
});
assertBothWays([14], ok(0), "07 0001 00", "publishNamespace");
assertBothWays([14], ok(0), "12 0001 00", "subscribeNamespace");
assertBothWays([15, 16], ok(0), "07 0002 00 00", "publishNamespace");
assertBothWays(FROM_17, ok(undefined), "07 0001 00", "publishNamespace");
assertBothWays(
  [14, 15],
  { kind: "publishNamespaceDone", value: { requestId: undefined, namespace } },
  `09 0012 ${NS}`,
);
assertBothWays(
  [16],
  { kind: "publishNamespaceDone", value: { requestId: 0, namespace: undefined } },
  "09 0001 00",
);
assertBothWays(UP_TO_16, { kind: "unsubscribe", value: { requestId: 0 } }, "0a 0001 00");

const wantsAll: ControlMessage = {
  kind: "subscribeNamespace",
  value: { requestId: 2, prefix, wanted: "both", parameters: {} },
};
const wantsNamespaces: ControlMessage = {
  kind: "subscribeNamespace",
  value: { requestId: 2, prefix, wanted: "namespaces", parameters: {} },
};
assertBothWays([14, 15], wantsAll, `11 000c 02 ${PREFIX} 00`);
assertBothWays([16], wantsNamespaces, `11 000d 02 ${PREFIX} 01 00`);
assertBothWays([17], wantsNamespaces, `11 000e 02 00 ${PREFIX} 01 00`);
assertBothWays(FROM_18, wantsNamespaces, `50 000c 02 ${PREFIX} 00`);
assertBothWays(
  FROM_18,
  { kind: "subscribeTracks", value: { requestId: 2, prefix, wanted: "tracks", parameters: {} } },
  `51 000c 02 ${PREFIX} 00`,
);
assertBothWays([14], {
  kind: "unsubscribeNamespace",
  value: { requestId: undefined, prefix },
}, `14 000a ${PREFIX}`);
assertBothWays([15], {
  kind: "unsubscribeNamespace",
  value: { requestId: 2, prefix: undefined },
}, "14 0001 02");
assertBothWays(FROM_16, { kind: "namespace", value: { suffix: [utf8("x")] } }, "08 0003 01 01 78");
assertBothWays(FROM_16, { kind: "namespaceDone", value: { suffix: [] } }, "0e 0001 00");

// PUBLISH

const publish = (parameters: object): ControlMessage => ({
  kind: "publish",
  value: { requestId: 0, namespace, track, alias: 7, parameters, properties: none },
});
assertBothWays(
  [14],
  publish({ groupOrder: "ascending", forward: true }),
  `1d 0023 00 ${NS} ${TRACK} 07 01 00 01 00`,
);
assertBothWays(
  [15, 16, 18, 19, 20, 21, 22],
  publish({ forward: true }),
  `1d 0022 00 ${NS} ${TRACK} 07 01 1001`,
);
const publishOk = (requestId: number | undefined, parameters: object): ControlMessage => ({
  kind: "requestOk",
  value: { requestId, parameters, properties: none },
});
assertBothWays([14], publishOk(0, wishes), "1e 0006 00 01 80 01 02 00", "publish");
assertBothWays([15], publishOk(0, wishes), "1e 000c 00 04 1001 204080 210102 2201", "publish");
assertBothWays([16], publishOk(0, wishes), "1e 000c 00 04 1001 104080 010102 0101", "publish");
assertBothWays([17], publishOk(undefined, wishes), "1e 000a 04 1001 1080 010102 0101", "publish");
assertBothWays(
  [18, 19],
  publishOk(undefined, wishes),
  "07 000a 04 1001 1080 010102 0101",
  "publish",
);
assertRead([18, 19], publishOk(undefined, wishes), "1e 000a 04 1001 1080 010102 0101");
assertBothWays(FROM_20, publishOk(undefined, {}), "07 0001 00", "publish");
const done = (requestId: number | undefined): ControlMessage => ({
  kind: "publishDone",
  value: { requestId, code: 2, streams: 3, reason: "end" },
});
assertBothWays(UP_TO_16, done(0), "0b 0007 00 02 03 03 656e64");
assertBothWays(FROM_17, done(undefined), "0b 0006 02 03 03 656e64");
assertBothWays(
  [16],
  { kind: "publishDone", value: { requestId: 0, code: 2, streams: undefined, reason: "" } },
  "0b 000b 00 02 ffffffffffffffff 00",
);
assertBothWays(
  [18],
  { kind: "publishDone", value: { requestId: undefined, code: 2, streams: undefined, reason: "" } },
  "0b 000b 02 ff3fffffffffffffff 00",
);

// Updates

assertBothWays(
  [16],
  { kind: "update", value: { requestId: 2, existing: 0, parameters: { forward: true } } },
  "02 0005 02 00 01 1001",
);
assertBothWays(
  FROM_18,
  { kind: "update", value: { requestId: 2, existing: undefined, parameters: { forward: true } } },
  "02 0004 02 01 1001",
);
assertBothWays(
  [17],
  { kind: "update", value: { requestId: 2, existing: undefined, parameters: { forward: true } } },
  "02 0005 02 00 01 1001",
);

// FETCH

const group1 = {
  kind: "range",
  start: { group: 1, object: 0 },
  end: { group: 1 },
} as const;
const fetch = (groupOrder: "ascending"): ControlMessage => ({
  kind: "fetch",
  value: {
    requestId: 4,
    target: { kind: "track", namespace, track },
    parameters: { priority: 128, groupOrder, filter: group1 },
  },
});
assertBothWays([14], fetch("ascending"), `16 0026 04 80 01 01 ${NS} ${TRACK} 0100 0100 00`);
assertBothWays([16], fetch("ascending"), `16 0029 04 01 ${NS} ${TRACK} 0100 0100 02 204080 0201`);
assertBothWays([17], fetch("ascending"), `16 0029 04 00 01 ${NS} ${TRACK} 0100 0100 02 2080 0201`);
assertBothWays([18, 19], fetch("ascending"), `16 0028 04 01 ${NS} ${TRACK} 0100 0100 02 2080 0201`);
assertBothWays([20, 21], fetch("ascending"), `16 0028 04 ${NS} ${TRACK} 03 2080 0103010000 0101`);
assertBothWays([22], fetch("ascending"), `16 0028 04 ${NS} ${TRACK} 03 2080 0103010000 0101`);
const joining: ControlMessage = {
  kind: "fetch",
  value: {
    requestId: 4,
    target: { kind: "joining", subscription: 0, from: "groups-back", group: 1 },
    parameters: { priority: 128, groupOrder: "ascending" },
  },
};
assertBothWays([14], joining, "16 0007 04 80 01 02 00 01 00");
assertBothWays([16], joining, "16 000a 04 02 00 01 02 204080 0201");
assertBothWays([18, 19], joining, "16 0009 04 02 00 01 02 2080 0201");

// What numbers requests, and who leaves

assertBothWays([14, 15, 16], { kind: "maxRequestId", value: { requestId: 100 } }, "15 0002 4064");
assertBothWays(
  [14, 15, 16],
  { kind: "requestsBlocked", value: { requestId: 100 } },
  "1a 0002 4064",
);
assertBothWays([14, 15, 16], { kind: "fetchCancel", value: { requestId: 4 } }, "17 0001 04");
assertBothWays(
  [14, 15, 16],
  { kind: "goaway", value: { uri: "", timeoutMs: undefined, requestId: undefined } },
  "10 0001 00",
);
assertBothWays(
  FROM_17,
  { kind: "goaway", value: { uri: "", timeoutMs: 500, requestId: undefined } },
  "10 0003 00 81f4",
);
assertBothWays(
  [18],
  { kind: "goaway", value: { uri: "", timeoutMs: 0, requestId: 4 } },
  "10 0003 00 00 04",
);
