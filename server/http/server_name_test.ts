import assert from "node:assert/strict";
import { helloBytes, serverNameOf } from "./server_name.ts";

const text = (name: string) => [...new TextEncoder().encode(name)];
const u16 = (value: number) => [value >> 8, value & 0xff];

/** A ClientHello with these extensions. */
function hello(extensions: [type: number, body: number[]][]): Uint8Array {
  const all = extensions.flatMap(([type, body]) => [...u16(type), ...u16(body.length), ...body]);
  const body = [
    ...[3, 3],
    ...new Array(32).fill(7),
    ...[4, 1, 2, 3, 4], // session id
    ...[0, 2, 0x13, 0x01], // cipher suites
    ...[1, 0], // compression
    ...u16(all.length),
    ...all,
  ];
  const handshake = [1, 0, ...u16(body.length), ...body];
  return Uint8Array.from([0x16, 3, 1, ...u16(handshake.length), ...handshake]);
}
const named = (name: string): [number, number[]] => [
  0,
  [...u16(name.length + 3), 0, ...u16(name.length), ...text(name)],
];

Deno.test("serverNameOf() finds the name among other extensions, in lower case", () => {
  const record = hello([[10, [0, 2, 0, 29]], named("Live.Example"), [43, [2, 3, 4]]]);
  assert.equal(serverNameOf(record), "live.example");
  assert.equal(helloBytes(record), record.length);
  assert.equal(helloBytes(record.subarray(0, 3)), 5);
  assert.equal(serverNameOf(hello([[10, [0, 2, 0, 29]]])), undefined);
  assert.equal(serverNameOf(hello([])), undefined);
});

Deno.test("serverNameOf() of what is cut short, or no hello at all, is nothing and never throws", () => {
  const record = hello([[10, [0, 2, 0, 29]], named("live.example")]);
  for (let length = 0; length < record.length; length++) {
    assert.equal(serverNameOf(record.slice(0, length)), undefined, `${length} bytes`);
  }
  for (let at = 5; at < record.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const wrong = record.slice();
      wrong[at] = value;
      serverNameOf(wrong);
    }
  }
});
