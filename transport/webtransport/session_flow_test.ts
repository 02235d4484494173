import assert from "node:assert/strict";
import { ProtocolViolation } from "../../wire/errors.ts";
import { Capsule, capsuleFrame, capsuleNumber } from "../../wire/h3/capsules.ts";
import { frameParser } from "../../wire/h3/frames.ts";
import { FLOW_WINDOW, Setting } from "../../wire/h3/settings.ts";
import { capsuleParser } from "../../wire/h3/webtransport.ts";
import { SessionFlow } from "./session_flow.ts";

/** Flow control against a peer with such limits, and the capsules it sends: type and number. */
function flowOf(data: number, uni: number, bidi: number, window = FLOW_WINDOW) {
  const told: [string, number][] = [];
  const names = new Map(Object.entries(Capsule).map(([name, type]) => [type as number, name]));
  const settings = new Map([
    [Setting.initialMaxData, data],
    [Setting.initialMaxStreamsUni, uni],
    [Setting.initialMaxStreamsBidi, bidi],
  ]);
  const flow = SessionFlow.between(settings, window, (frame) => {
    for (const { payload } of frameParser().push(frame)) {
      for (const capsule of capsuleParser().push(payload)) {
        told.push([names.get(capsule.type)!, capsuleNumber(capsule.payload)]);
      }
    }
  });
  /** What the peer says. */
  const says = (type: number, value: number) => {
    const [frame] = frameParser().push(capsuleFrame(type, value));
    const [capsule] = capsuleParser().push(frame!.payload);
    flow!.read(capsule!.type, capsule!.payload);
  };
  return { flow: flow!, told, says };
}

const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

Deno.test("without limits of the peer there is no flow control", () => {
  assert.equal(SessionFlow.between(new Map(), FLOW_WINDOW, () => {}), undefined);
  const zeros = new Map([[Setting.initialMaxData, 0]]);
  assert.equal(SessionFlow.between(zeros, FLOW_WINDOW, () => {}), undefined);
});

Deno.test("streams wait for the peer's limit in turn, and the peer hears of it once per limit", async () => {
  const { flow, told, says } = flowOf(0, 2, 0);
  const opened: number[] = [];
  for (let i = 0; i < 5; i++) void flow.opening("uni").then(() => opened.push(i));
  await settled();
  assert.deepEqual(opened, [0, 1]);
  assert.deepEqual(told, [["streamsBlockedUni", 2]]);
  says(Capsule.maxStreamsUni, 4);
  await settled();
  assert.deepEqual(opened, [0, 1, 2, 3]);
  assert.deepEqual(told.at(-1), ["streamsBlockedUni", 4]);
  void flow.opening("bidi").then(() => opened.push(9));
  await settled();
  assert.equal(opened.length, 4, "the kinds are counted apart");
  flow.end();
  await settled();
  assert.deepEqual(
    opened.toSorted(),
    [0, 1, 2, 3, 4, 9],
    "nobody waits for a session that is over",
  );
});

Deno.test("bytes are taken from what the peer allows, and more come with its capsule", async () => {
  const { flow, told, says } = flowOf(10, 0, 0);
  assert.deepEqual([flow.take(7), flow.take(7), flow.take(1)], [7, 3, 0]);
  let called = 0;
  flow.wait(() => called++);
  assert.deepEqual(told, [["dataBlocked", 10]]);
  says(Capsule.maxData, 10);
  assert.equal(called, 0);
  says(Capsule.maxData, 15);
  assert.equal(called, 0, "so little is saved up for a moment");
  await new Promise<void>((resolve) => flow.wait(resolve));
  assert.deepEqual([called, flow.take(9)], [1, 5]);
  flow.wait(() => called++);
  says(Capsule.maxData, 15 + 4096);
  assert.equal(called, 2);
});

Deno.test("credit that comes a byte at a time has a stream written once, and the peer told once", async () => {
  const { flow, told, says } = flowOf(10, 0, 0);
  flow.take(10);
  const taken: number[] = [];
  const written = Promise.withResolvers<void>();
  const write = () => {
    taken.push(flow.take(1000));
    written.resolve();
    flow.wait(write);
  };
  flow.wait(write);
  for (let most = 11; most <= 510; most++) says(Capsule.maxData, most);
  await written.promise;
  assert.deepEqual(taken, [500]);
  assert.deepEqual(told, [["dataBlocked", 10]]);
  flow.end();
});

Deno.test("a limit that shrinks, and more streams than can be numbered, are violations", () => {
  const { flow, says } = flowOf(10, 5, 5);
  assert.throws(() => says(Capsule.maxData, 9), ProtocolViolation);
  assert.throws(() => says(Capsule.maxStreamsUni, 4), ProtocolViolation);
  const tooMany = Uint8Array.of(0xe0, 0, 0, 0, 0, 0, 0, 0); // 2^61
  assert.throws(() => flow.read(Capsule.maxStreamsBidi, tooMany), ProtocolViolation);
  says(Capsule.dataBlocked, 3);
  says(Capsule.streamsBlockedUni, 3);
});

Deno.test("what the peer has used is given back when half is gone, and more than it was given is a violation", () => {
  const { flow, told } = flowOf(1, 1, 1, { data: 100, uni: 4, bidi: 4 });
  flow.received(49);
  assert.deepEqual(told, []);
  flow.received(1);
  assert.deepEqual(told, [["maxData", 150]]);
  for (let i = 0; i < 3; i++) flow.opened("uni");
  assert.deepEqual(told.slice(1), [["maxStreamsUni", 6]]);
  flow.opened("bidi");
  flow.opened("bidi");
  assert.deepEqual(told.at(-1), ["maxStreamsBidi", 6]);
  assert.throws(() => flow.received(101), ProtocolViolation);
});

Deno.test("a capsule that WebTransport over HTTP/3 forbids, or that is longer than its number, is a violation", () => {
  const payload = (type: number) => frameParser().push(capsuleFrame(type, 5))[0]!.payload;
  for (const type of [0x190b4d3e, 0x190b4d42]) {
    assert.throws(() => capsuleParser().push(payload(type)), ProtocolViolation);
  }
  assert.throws(() => capsuleNumber(Uint8Array.of(5, 0)), ProtocolViolation);
  assert.throws(() => capsuleNumber(new Uint8Array(0)), ProtocolViolation);
});
