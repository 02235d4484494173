import assert from "node:assert/strict";
import { Reader, Writer } from "../cursor.ts";
import { ProtocolViolation } from "../errors.ts";
import { parameters } from "./parameter_codec.ts";
import type { Parameters } from "./parameters.ts";
import { dialectOf } from "./dialect.ts";
import { type Draft, profileOf, PROFILES, withSizedParameters } from "./profile.ts";
import { type Scope, SCOPES } from "./scopes.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));

function read(draft: Draft, scope: Scope, text: string): Parameters {
  const profile = profileOf(draft);
  const r = new Reader(hex(text), "TEST", profile.varints);
  const value = parameters(profile, scope).read(r);
  assert.equal(r.left, 0);
  return value;
}
function write(draft: Draft, scope: Scope, value: Parameters): string {
  const profile = profileOf(draft);
  const w = new Writer(profile.varints);
  parameters(profile, scope).write(w, value);
  return w.done().toHex();
}

Deno.test("a parameter nobody defined is stepped over up to 15, and ends the session from 16 on", () => {
  for (const draft of [14, 15] as Draft[]) {
    // An even one with a number of 62 bits, and an odd one with bytes.
    const odd = "03 407e ffffffffffffffff 407f 02abcd 02 41f4";
    assert.deepEqual(read(draft, "subscribe", odd), { deliveryTimeoutMs: 500 });
  }
  assert.throws(() => read(16, "subscribe", "01 407e 00"), /parameter 126 is not known/);
  for (const draft of [17, 18, 19, 20, 21, 22] as Draft[]) {
    assert.throws(() => read(draft, "subscribe", "01 7e 00"), /parameter 126 is not known/);
  }
});

Deno.test("a parameter of another message is stepped over up to 16, and ends the session from 17 on", () => {
  // EXPIRES has no place in SUBSCRIBE.
  for (const draft of [15, 16] as Draft[]) {
    assert.deepEqual(read(draft, "subscribe", "01 08 05"), {});
  }
  for (const draft of [17, 18, 19, 20, 21, 22] as Draft[]) {
    assert.throws(() => read(draft, "subscribe", "01 08 05"), /parameter 8 has no place here/);
  }
});

Deno.test("a parameter stands once, but for tokens and conditions", () => {
  for (const { draft } of PROFILES) {
    const twice = draft < 16 ? "02 0201 0201" : "02 0201 0001";
    assert.throws(() => read(draft, "subscribe", twice), /stands twice/);
    const token = "03 03 00 61";
    const value = { kind: "value", type: 0, value: hex("61") };
    const tokens = draft < 16 ? `02 03${token} 03${token}` : `02 03${token} 00${token}`;
    assert.deepEqual(read(draft, "subscribe", tokens).tokens, [value, value]);
  }
});

Deno.test("numbers of parameters are counted before they are read", () => {
  for (const { draft } of PROFILES) {
    const many = draft < 17 ? "4041" : "41";
    assert.throws(() => read(draft, "subscribe", many), /65 parameters/);
  }
});

Deno.test("what a draft has no parameter for is left out", () => {
  const value: Parameters = {
    rendezvousTimeoutMs: 500,
    subgroupTimeoutMs: 1,
    includeProperties: false,
    expiresMs: 3,
  };
  assert.equal(write(16, "subscribe", value), "00");
  assert.equal(write(17, "subscribe", value), "010481f4");
  assert.equal(write(18, "subscribe", value), "020481f40201");
  assert.equal(write(20, "subscribe", value), "030481f402012f00");
  assert.equal(write(20, "subscribeOk", value), "010803");
});

Deno.test("FORWARD, GROUP_ORDER and INCLUDE_PROPERTIES have two values, priorities 256", () => {
  for (const draft of [15, 16] as Draft[]) {
    const behind = draft === 16 ? "10" : "20";
    assert.throws(() => read(draft, "subscribe", "01 10 02"), ProtocolViolation);
    assert.throws(() => read(draft, "subscribe", `02 10 01 ${behind} 4100`), /256 where one byte/);
    assert.deepEqual(read(draft, "subscribe", `02 10 01 ${behind} 40ff`), {
      forward: true,
      priority: 255,
    });
    assert.throws(() => read(draft, "subscribe", "01 22 03"), /group order 3/);
    // Written where the choice is the publisher's, as draft 14 has it.
    assert.deepEqual(read(draft, "subscribe", "01 22 00"), { groupOrder: undefined });
  }
  assert.throws(() => read(18, "subscribe", "01 10 02"), ProtocolViolation);
  assert.throws(() => read(18, "subscribe", "01 22 00"), ProtocolViolation);
  assert.throws(() => read(20, "subscribe", "01 35 02"), ProtocolViolation);
});

Deno.test("LARGEST_OBJECT has a length up to 16, and none from 17 on", () => {
  const largest = { group: 3, object: 9 };
  assert.equal(write(16, "subscribeOk", { largest }), "0109020309");
  assert.equal(write(17, "subscribeOk", { largest }), "01090309");
  assert.throws(() => read(16, "subscribeOk", "01 09 03 0309 00"), /bytes left in a field/);
});

Deno.test("a time too long for a number is the longest there is", () => {
  assert.deepEqual(read(18, "subscribe", "01 02 ffffffffffffffffff"), {
    deliveryTimeoutMs: Number.MAX_SAFE_INTEGER,
  });
});

Deno.test("a token of an unknown kind, and one that is too long, are refused", () => {
  assert.throws(() => read(18, "subscribe", "01 03 02 0400"), /token of kind 4/);
  assert.throws(() => read(18, "subscribe", "01 03 e0003000"), ProtocolViolation);
});

Deno.test("FILL_PARAMETERS has parameters of its own, and not all", () => {
  const fill = { fillTimeoutMs: 9, priority: 3, filter: { kind: "all" } } as const;
  for (const draft of [20, 22] as Draft[]) {
    const bytes = write(draft, "subscribe", { fill: { ...fill, expiresMs: 4 } });
    assert.deepEqual(read(draft, "subscribe", bytes), { fill });
  }
  assert.throws(() => read(20, "subscribe", "01 23 03 01 08 04"), /has no place here/);
  assert.throws(() => read(20, "subscribe", "01 23 03 01 23 00"), /has no place here/);
});

Deno.test("SUBSCRIBE_TRACKS takes the conditions on tracks, FETCH does not do without a filter from 20 on", () => {
  assert.ok(SCOPES["19"].subscribeTracks!.includes("rangeFilters"));
  assert.ok(SCOPES["20"].fetch!.includes("filter"));
  assert.ok(!SCOPES["19"].fetch!.includes("filter"));
});

Deno.test("typed parameters of odd types may stand behind a length, as @moq/net writes them", () => {
  for (const draft of [17, 18, 20] as const) {
    const sized = dialectOf(withSizedParameters(profileOf(draft)));
    assert.equal(sized, dialectOf(withSizedParameters(profileOf(draft))));
    const value = {
      requestId: undefined,
      alias: 7,
      parameters: { largest: { group: 3, object: 9 } },
      properties: new Uint8Array(),
    };
    const bytes = sized.encode("subscribeOk", value);
    assert.equal(bytes.toHex(), "040006" + "07" + "01" + "09020309");
    assert.deepEqual(sized.decode(0x04, bytes.subarray(3)).value, value);
    const plain = dialectOf(profileOf(draft));
    assert.equal(plain.encode("subscribeOk", value).toHex(), "040005" + "07" + "01" + "090309");
  }
});
