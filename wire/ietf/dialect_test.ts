import assert from "node:assert/strict";
import { ProtocolViolation } from "../errors.ts";
import { type Dialect, dialectOf, dialectOfDraft, type Kind } from "./dialect.ts";
import { MAX_CONTROL_BYTES } from "./message/parts.ts";
import { type Draft, PROFILES } from "./profile.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));
const none = new Uint8Array();

/** The numbers of messages in each draft, as the drafts list them. */
const TYPES: Readonly<Record<Draft, readonly number[]>> = (() => {
  const d14 = [
    ...[0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f],
    ...[0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1d, 0x1e, 0x1f],
    ...[0x20, 0x21],
  ];
  const d15 = d14.filter((type) => ![0x08, 0x0e, 0x0f, 0x12, 0x13, 0x19, 0x1f].includes(type));
  const d16 = [...d15.filter((type) => type !== 0x14), 0x08, 0x0e];
  const d17 = [
    ...[0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x0b, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x16],
    ...[0x18, 0x1d, 0x1e, 0x2f00],
  ];
  const d18 = [...d17.filter((type) => type !== 0x11), 0x50, 0x51];
  const d20 = [...d18.filter((type) => type !== 0x1e), 0x22];
  return { 14: d14, 15: d15, 16: d16, 17: d17, 18: d18, 19: d18, 20: d20, 21: d20, 22: d20 };
})();

for (const profile of PROFILES) {
  const dialect = dialectOf(profile);

  Deno.test(`${profile.name} has the messages that its draft lists, and no other`, () => {
    const found = [...new Set(dialect.controls.map(({ type }) => type))].sort((a, b) => a - b);
    assert.deepEqual(found, [...TYPES[profile.draft]].sort((a, b) => a - b));
    assert.equal(dialect.byType(0x7e), undefined);
    assert.throws(() => dialect.decode(0x7e, none), ProtocolViolation);
  });

  Deno.test(`${profile.name} takes no message longer than its length can say`, () => {
    for (const { message } of dialect.controls) assert.ok(message.maxBytes <= MAX_CONTROL_BYTES);
    assert.throws(() => dialect.framed(1, new Uint8Array(0x1_0000)), RangeError);
    assert.equal(dialect.framed(1, new Uint8Array(0x0102)).subarray(0, 3).toHex(), "010102");
  });
}

Deno.test("readHead() says type and length, when they are whole, and refuses what is too long", () => {
  const d16 = dialectOfDraft(16);
  const head = { type: 0x03, name: "SUBSCRIBE", length: 3, bodyLength: 0x0129 };
  assert.deepEqual(d16.readHead(hex("03 0129 00")), head);
  for (const cut of ["", "03", "0301"]) assert.equal(d16.readHead(hex(cut)), undefined);
  const setup = { type: 0x2f00, name: "SETUP", length: 4, bodyLength: 5 };
  assert.deepEqual(dialectOfDraft(18).readHead(hex("af00 0005")), setup);
  assert.equal(dialectOfDraft(18).readHead(hex("af")), undefined);
  assert.throws(() => d16.readHead(hex("0a 0041")), /65 bytes announced, at most 64 taken/);
  assert.throws(() => d16.readHead(hex("03 ffff")), ProtocolViolation);
  assert.throws(() => d16.readHead(hex("4022 0000")), /unknown type 34/);
  assert.throws(() => dialectOfDraft(17).readHead(hex("fc")), ProtocolViolation);
});

Deno.test("an answer has the number that its request gives it in draft 14, one number from 18 on", () => {
  const type = (dialect: Dialect, ...args: Parameters<Dialect["encode"]>) =>
    dialect.encode(...args)[0];
  const ok = { requestId: 0, parameters: {}, properties: none };
  const error = { requestId: 0, code: 0, retryMs: undefined, reason: "", redirect: undefined };
  const requests = [
    ...["subscribe", "publishNamespace", "trackStatus", "subscribeNamespace", "fetch"] as const,
    "publish" as const,
  ];
  const d14 = dialectOfDraft(14);
  assert.deepEqual(requests.map((r) => type(d14, "requestError", error, r)), [
    ...[0x05, 0x08, 0x0f, 0x13, 0x19, 0x1f],
  ]);
  const accepted = ["publishNamespace", "trackStatus", "subscribeNamespace", "publish"] as const;
  assert.deepEqual(accepted.map((r) => type(d14, "requestOk", ok, r)), [0x07, 0x0e, 0x12, 0x1e]);
  assert.throws(() => d14.encode("requestOk", ok, "update"), RangeError);
  for (const draft of [15, 16, 17] as Draft[]) {
    const types = accepted.map((r) => type(dialectOfDraft(draft), "requestOk", ok, r));
    assert.deepEqual(types, [0x07, 0x07, 0x07, 0x1e]);
  }
  for (const draft of [18, 20, 22] as Draft[]) {
    for (const request of [...accepted, "update" as const]) {
      assert.equal(type(dialectOfDraft(draft), "requestOk", ok, request), 0x07);
    }
  }
});

Deno.test("a message that a draft does not have is not written", () => {
  const lacks: readonly [Draft, Kind][] = [
    [14, "namespace"],
    [15, "publishBlocked"],
    [16, "unsubscribeNamespace"],
    [16, "subscribeTracks"],
    [17, "unsubscribe"],
    [18, "maxRequestId"],
    [19, "publishStateNotify"],
    [22, "publishNamespaceDone"],
  ];
  for (const [draft, kind] of lacks) {
    const dialect = dialectOfDraft(draft);
    assert.equal(dialect.has(kind), false);
    assert.throws(() => dialect.encode(kind, {} as never), /has no such message/);
  }
});

Deno.test("options of SETUP that nobody knows are stepped over, known ones stand once", () => {
  const options = (draft: Draft, text: string) => {
    const dialect = dialectOfDraft(draft);
    const type = dialect.controls.find(({ kind }) => kind === "clientSetup")!.type;
    const message = dialect.decode(type, hex(text));
    return message.kind === "clientSetup" ? message.value.options : undefined;
  };
  // 0x9d and 0x11c are there to keep receivers honest; 0x40b5a is an extension's.
  assert.deepEqual(options(18, "06 04 8097 02abcd 807f 05 e0040a3e 01"), { maxFilterRanges: 4 });
  assert.deepEqual(options(16, "03 01 012f 01 05 407f 00"), { path: "/", maxRequestId: 5 });
  assert.throws(() => options(18, "06 04 00 04"), /stands twice/);
  assert.throws(() => options(18, "01 01 ff"), /not UTF-8/);
  assert.deepEqual(options(18, "07 01 ff"), { implementation: "\ufffd" });
});

Deno.test("REDIRECT comes with a place to go to, and nothing else does", () => {
  const dialect = dialectOfDraft(18);
  assert.throws(() => dialect.decode(0x05, hex("34 00 00")), /code 52 without a redirect/);
  assert.throws(() => dialect.decode(0x05, hex("10 00 00 00 00 00")), /with a redirect/);
  assert.throws(() => dialect.decode(0x05, hex("34 00 00 00 00")), ProtocolViolation);
  assert.equal(dialect.decode(0x05, hex("34 00 00 00 00 00")).kind, "requestError");
  // Draft 17 has no such thing: the code alone is an error like any other.
  assert.equal(dialectOfDraft(17).decode(0x05, hex("34 00 00")).kind, "requestError");
});

Deno.test("properties of a track that are cut off are refused with their message", () => {
  const dialect = dialectOfDraft(18);
  assert.throws(() => dialect.decode(0x04, hex("07 00 0e")), ProtocolViolation);
  assert.throws(() => dialect.decode(0x04, hex("07 00 0b 05 01")), ProtocolViolation);
  assert.equal(dialect.decode(0x04, hex("07 00 0e 05")).kind, "subscribeOk");
});

Deno.test("a reason phrase that is too long is cut between characters", () => {
  const dialect = dialectOfDraft(18);
  const done = { requestId: undefined, code: 0, streams: 0, reason: "é".repeat(600) };
  const bytes = dialect.encode("publishDone", done);
  const back = dialect.decode(0x0b, bytes.subarray(3));
  assert.ok(back.kind === "publishDone" && back.value.reason === "é".repeat(512));
  const long = new Uint8Array(1_030).fill(0x61);
  long.set(hex("00 00 8401"));
  assert.throws(() => dialect.decode(0x0b, long), /text of 1025 bytes/);
});
