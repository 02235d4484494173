import assert from "node:assert/strict";
import { Reader, Writer } from "../cursor.ts";
import { ProtocolViolation } from "../errors.ts";
import type { Field } from "../message.ts";
import { dialectOf } from "./dialect.ts";
import {
  MAX_FULL_NAME_BYTES,
  type Namespace,
  namespace,
  namespacePrefix,
  namespaceSuffix,
  trackName,
} from "./names.ts";
import { profileOf, PROFILES } from "./profile.ts";

const QUIC = profileOf(14).varints;
function write<T>(field: Field<T>, value: T): Uint8Array {
  const w = new Writer(QUIC);
  field.write(w, value);
  return w.done();
}
const read = <T>(field: Field<T>, bytes: Uint8Array) => field.read(new Reader(bytes, "T", QUIC));
const a = Uint8Array.of(0x61);
const fields = (n: number): Namespace => Array.from({ length: n }, () => a);
const bytesOf = (value: Namespace) =>
  Uint8Array.of(value.length, ...value.flatMap((f) => [f.length, ...f]));

Deno.test("a namespace has 1 to 32 fields up to 16, and 0 to 32 later; a prefix may be empty in all", () => {
  for (const profile of PROFILES) {
    const kinds: [Field<Namespace>, boolean][] = [
      [namespace(profile), profile.draft >= 17],
      [namespacePrefix(profile), true],
      [namespaceSuffix(profile), true],
    ];
    for (const [field, mayBeEmpty] of kinds) {
      for (const n of [1, 32]) assert.deepEqual(read(field, write(field, fields(n))), fields(n));
      assert.throws(() => write(field, fields(33)), RangeError);
      assert.throws(() => read(field, bytesOf(fields(33))), ProtocolViolation);
      if (mayBeEmpty) assert.deepEqual(read(field, write(field, [])), []);
      else {
        assert.throws(() => write(field, []), RangeError);
        assert.throws(() => read(field, bytesOf([])), ProtocolViolation);
      }
    }
  }
});

Deno.test("an empty field is refused from 16 on", () => {
  const value = [a, new Uint8Array()];
  for (const profile of PROFILES) {
    const field = namespace(profile);
    if (profile.draft < 16) assert.deepEqual(read(field, write(field, value)), value);
    else {
      assert.throws(() => write(field, value), RangeError);
      assert.throws(() => read(field, bytesOf(value)), /an empty field/);
    }
  }
});

Deno.test("a full name has at most 4096 bytes, wherever it stands", () => {
  const half = new Uint8Array(MAX_FULL_NAME_BYTES / 2);
  for (const profile of PROFILES) {
    const dialect = dialectOf(profile);
    const value = (track: Uint8Array) => ({
      requestId: 0,
      namespace: [half],
      track,
      parameters: {},
    });
    const most = dialect.encode("subscribe", value(half));
    assert.ok(most.length > MAX_FULL_NAME_BYTES);
    assert.throws(
      () => dialect.encode("subscribe", value(new Uint8Array(half.length + 1))),
      RangeError,
    );
    const space = write(namespaceSuffix(profile), [half]);
    const three = Uint8Array.of(3, ...space.subarray(1), ...space.subarray(1), 1, 0x61);
    assert.throws(() => read(namespace(profile), three), /more than 4096 bytes/);
  }
  assert.throws(() => write(trackName, new Uint8Array(MAX_FULL_NAME_BYTES + 1)), RangeError);
});

Deno.test("names are bytes: they need be no text, and are copied out", () => {
  const odd = [Uint8Array.of(0xff, 0x00, 0x2f)];
  const bytes = write(namespace(profileOf(18)), odd);
  const value = read(namespace(profileOf(18)), bytes);
  bytes.fill(1);
  assert.deepEqual(value, odd);
  assert.equal(read(trackName, Uint8Array.of(0)).length, 0);
});
