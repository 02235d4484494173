/** Control messages as moq-net 0.3.18 writes them, in the drafts that nobody else here speaks: 15, 17, 19, 21. */
import assert from "node:assert/strict";
import {
  assertBothWays,
  assertRead,
  bytes,
  framed,
  namespace,
  none,
  NS,
  prefix,
  TRACK,
  track,
  utf8,
} from "../../tests/support/ietf_vectors.ts";
import { type ControlMessage, dialectOfDraft } from "./dialect.ts";

const wishes = { forward: true, priority: 128, groupOrder: "descending" } as const;
const subscribe = (filter: object): ControlMessage => ({
  kind: "subscribe",
  value: { requestId: 1, namespace, track, parameters: { ...wishes, filter } as never },
});
const next = subscribe({ kind: "next-object" });
assertBothWays([15], next, framed("03", `01 ${NS} ${TRACK} 04 1001 204080 210102 2202`));
assertBothWays([17], next, framed("03", `01 00 ${NS} ${TRACK} 04 1001 1080 010102 0102`));
assertBothWays([19], next, framed("03", `01 ${NS} ${TRACK} 04 1001 1080 010102 0102`));
assertBothWays([21], next, framed("03", `01 ${NS} ${TRACK} 04 1001 1080 01020000 0102`));
const group = subscribe({ kind: "groups-back", groups: 0 });
assertBothWays([15], group, framed("03", `01 ${NS} ${TRACK} 04 1001 204080 210101 2202`));
assertBothWays([17], group, framed("03", `01 00 ${NS} ${TRACK} 04 1001 1080 010101 0102`));
assertBothWays([19], group, framed("03", `01 ${NS} ${TRACK} 04 1001 1080 010101 0102`));
assertBothWays([21], group, framed("03", `01 ${NS} ${TRACK} 04 1001 1080 010100 0102`));
const range = subscribe({ kind: "range", start: { group: 300, object: 3 }, end: { group: 310 } });
assertBothWays([17], range, framed("03", `01 00 ${NS} ${TRACK} 04 1001 1080 010504812c030a 0102`));
assertBothWays([19], range, framed("03", `01 ${NS} ${TRACK} 04 1001 1080 010504812c030a 0102`));
assertBothWays([21], range, framed("03", `01 ${NS} ${TRACK} 04 1001 1080 0104812c030a 0102`));

Deno.test("up to 16 the end group is absolute: moq-net writes a difference, which ends before it starts", () => {
  const body = `01 ${NS} ${TRACK} 04 1001 204080 210504412c030a 2202`;
  assert.throws(() => dialectOfDraft(15).decode(0x03, bytes(body)), /end group 10 before 300/);
});

const PROPERTIES = "08c15f90 0640 1402"; // timescale, priority, order
const subscribeOk = (requestId?: number): ControlMessage => ({
  kind: "subscribeOk",
  value: {
    requestId,
    alias: 300,
    parameters: requestId === undefined
      ? { largest: { group: 500, object: 2 } }
      : { largest: { group: 500, object: 2 }, groupOrder: "descending" },
    properties: requestId === undefined ? bytes(PROPERTIES) : none,
  },
});
assertBothWays([15], subscribeOk(0), framed("04", "00 412c 02 090341f402 2202"));
assertBothWays([17, 19, 21], subscribeOk(), framed("04", `812c 01 0981f402 ${PROPERTIES}`));
const publish = (parameters: object, properties: Uint8Array): ControlMessage => ({
  kind: "publish",
  value: { requestId: 2, namespace, track, alias: 7, parameters, properties },
});
const there = { largest: { group: 9, object: 0 }, forward: true };
assertBothWays(
  [15],
  publish({ ...there, groupOrder: "descending" }, none),
  framed("1d", `02 ${NS} ${TRACK} 07 03 09020900 1001 2202`),
);
assertBothWays(
  [17],
  publish(there, bytes(PROPERTIES)),
  framed("1d", `02 00 ${NS} ${TRACK} 07 02 090900 0701 ${PROPERTIES}`),
);
assertBothWays(
  [19, 21],
  publish(there, bytes(PROPERTIES)),
  framed("1d", `02 ${NS} ${TRACK} 07 02 090900 0701 ${PROPERTIES}`),
);
const publishOk = (requestId: number | undefined, parameters: object): ControlMessage => ({
  kind: "requestOk",
  value: { requestId, parameters, properties: none },
});
const accepted = { ...wishes, filter: { kind: "next-object" } };
assertBothWays(
  [15],
  publishOk(0, accepted),
  framed("1e", "00 04 1001 204080 210102 2202"),
  "publish",
);
assertBothWays(
  [17],
  publishOk(undefined, accepted),
  framed("1e", "04 1001 1080 010102 0102"),
  "publish",
);
assertRead([19], publishOk(undefined, accepted), framed("07", "04 1001 1080 010102 0102"));
assertBothWays([21], publishOk(undefined, {}), framed("07", "00"), "publish");
const done = (requestId?: number): ControlMessage => ({
  kind: "publishDone",
  value: { requestId, code: 2, streams: 300, reason: "end" },
});
assertBothWays([15], done(0), framed("0b", "00 02 412c 03 656e64"));
assertBothWays([17, 19, 21], done(), framed("0b", "02 812c 03 656e64"));

const update = (existing?: number): ControlMessage => ({
  kind: "update",
  value: {
    requestId: 4,
    existing,
    parameters: { forward: true, priority: 7, filter: { kind: "next-object" } },
  },
});
assertBothWays([15], update(0), framed("02", "04 00 03 1001 2007 210102"));
assertBothWays([17], update(), framed("02", "04 00 03 1001 1007 010102"));
assertBothWays([19], update(), framed("02", "04 03 1001 1007 010102"));
assertBothWays([21], update(), framed("02", "04 03 1001 1007 01020000"));
const refused = (requestId: number | undefined, retryMs: number | undefined): ControlMessage => ({
  kind: "requestError",
  value: { requestId, code: 0x10, retryMs, reason: "nf", redirect: undefined },
});
assertBothWays([15], refused(0, undefined), framed("05", "00 10 02 6e66"));
assertBothWays([17, 19, 21], refused(undefined, 999), framed("05", "10 83e8 02 6e66"));

const cancel: ControlMessage = {
  kind: "publishNamespaceCancel",
  value: { requestId: undefined, namespace, code: 3, reason: "no" },
};
assertBothWays([15], cancel, framed("0c", `${NS} 03 02 6e6f`));
assertRead(
  [14],
  { kind: "unsubscribeNamespace", value: { requestId: 2, prefix: undefined } },
  framed("14", "02"),
);
assertBothWays(
  [17],
  {
    kind: "subscribeNamespace",
    value: { requestId: 2, prefix, wanted: "namespaces", parameters: {} },
  },
  framed("11", "02 00 01 08 6d6f712d74657374 01 00"),
);
assertBothWays(
  [17, 19, 21],
  { kind: "namespaceDone", value: { suffix: [utf8("x")] } },
  framed("0e", "01 01 78"),
);
const trackStatus: ControlMessage = {
  kind: "trackStatus",
  value: { requestId: 0, namespace, track, parameters: {} },
};
assertBothWays([17], trackStatus, framed("0d", `00 00 ${NS} ${TRACK} 00`));

const fetched = {
  priority: 64,
  groupOrder: "ascending",
  filter: { kind: "range", start: { group: 1, object: 0 }, end: { group: 300, object: 5 } },
};
const fetch: ControlMessage = {
  kind: "fetch",
  value: {
    requestId: 3,
    target: { kind: "track", namespace, track },
    parameters: fetched,
  } as never,
};
assertBothWays([15], fetch, framed("16", `03 01 ${NS} ${TRACK} 0100 412c06 02 204040 2201`));
assertBothWays([17], fetch, framed("16", `03 00 01 ${NS} ${TRACK} 0100 812c06 02 2040 0201`));
assertBothWays([19], fetch, framed("16", `03 01 ${NS} ${TRACK} 0100 812c06 02 2040 0201`));
assertBothWays([21], fetch, framed("16", `03 ${NS} ${TRACK} 03 2040 01050100812b05 0101`));
const joining: ControlMessage = {
  kind: "fetch",
  value: {
    requestId: 3,
    target: { kind: "joining", subscription: 0, from: "groups-back", group: 1 },
    parameters: { priority: 64, groupOrder: "ascending" },
  },
};
assertBothWays([15], joining, framed("16", "03 02 00 01 02 204040 2201"));
assertBothWays([17], joining, framed("16", "03 00 02 00 01 02 2040 0201"));
assertBothWays([19], joining, framed("16", "03 02 00 01 02 2040 0201"));
const fetchOk = (requestId: number | undefined, object: number): ControlMessage => ({
  kind: "fetchOk",
  value: {
    requestId,
    endOfTrack: false,
    end: { group: 300, object },
    parameters: {},
    properties: none,
  },
});
assertBothWays([15], fetchOk(0, 5), framed("18", "00 00 412c06 00"));
assertBothWays([17, 19], fetchOk(undefined, 5), framed("18", "00 812c06 00"));
assertBothWays([21], fetchOk(undefined, 6), framed("18", "00 812c06 00"));
