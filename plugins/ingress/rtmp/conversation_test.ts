import assert from "node:assert/strict";
import fc from "fast-check";
import { type Amf, decodeAmf, encodeAmf } from "./amf0.ts";
import { ChunkReader } from "./chunk_reader.ts";
import { Conversation, MAX_MESSAGES_BEFORE } from "./conversation.ts";
import { RtmpViolation } from "./errors.ts";
import { MESSAGE, type RtmpMessage } from "./message.ts";
import type { PublishRequest } from "./stream_key.ts";

const message = (type: number, payload: Uint8Array<ArrayBuffer>): RtmpMessage => ({
  ...{ type, streamId: 0, timestampMs: 0, payload },
});
const command = (...values: Amf[]) => message(MESSAGE.command, encodeAmf(values));
const CONNECT = command("connect", 1, new Map([["app", "live"], ["tcUrl", "rtmp://h/live"]]));

/** What was answered, as its commands' values. */
function answers(parts: Uint8Array[]): Amf[][] {
  const reader = new ChunkReader({ messageBytes: 4096, waitingBytes: 4096 });
  return parts.flatMap((part) => [...reader.push(part)])
    .filter(({ type }) => type === MESSAGE.command).map(({ payload }) => decodeAmf(payload));
}

const codeOf = (values: Amf[]) => (values.at(-1) as ReadonlyMap<string, Amf>).get("code");

Deno.test("Conversation lets a publisher in that asks as OBS does, and hears it leave", () => {
  const asked: PublishRequest[] = [];
  const talk = new Conversation((request) => void asked.push(request));
  assert.equal(codeOf(answers(talk.take(CONNECT))[0]!), "NetConnection.Connect.Success");
  talk.take(command("releaseStream", 2, null, "key"));
  talk.take(command("FCPublish", 3, null, "key"));
  assert.deepEqual(answers(talk.take(command("createStream", 4, null))), [["_result", 4, null, 1]]);
  const [started] = answers(talk.take(command("publish", 5, null, "key", "live")));
  assert.equal(codeOf(started!), "NetStream.Publish.Start");
  assert.deepEqual(asked, [{ app: "live", tcUrl: "rtmp://h/live", name: "key" }]);
  assert.equal(talk.standing, "publishing");
  talk.take(command("FCUnpublish", 6, null, "key"));
  assert.equal(talk.standing, "over");
});

Deno.test("Conversation refuses whom the judge refuses, and who wants to play", () => {
  const refused = new Conversation(() => "no");
  refused.take(CONNECT);
  assert.equal(
    codeOf(answers(refused.take(command("publish", 2, null, "x")))[0]!),
    "NetStream.Publish.BadName",
  );
  assert.equal(refused.standing, "refused");
  const player = new Conversation(() => assert.fail("nobody asked to publish"));
  player.take(CONNECT);
  assert.equal(
    codeOf(answers(player.take(command("play", 2, null, "x")))[0]!),
    "NetStream.Play.Failed",
  );
  assert.equal(player.standing, "refused");
});

Deno.test("Conversation takes no media, no second connect and no endless talk from a stranger", () => {
  const fresh = () => new Conversation(() => assert.fail("it has not asked"));
  for (const type of [MESSAGE.audio, MESSAGE.video, MESSAGE.data]) {
    const talk = fresh();
    talk.take(CONNECT);
    assert.throws(() => talk.take(message(type, new Uint8Array(4))), /not been let in/);
  }
  assert.throws(() => fresh().take(command("publish", 1, null, "key")), /before `connect`/);
  assert.throws(() => fresh().take(command("connect", 1, "live")), /names no application/);
  const twice = fresh();
  twice.take(CONNECT);
  assert.throws(() => twice.take(CONNECT), /connect twice/);
  assert.throws(() => twice.take(command("publish", 2, null, 7)), /names no stream/);
  const chatty = fresh();
  for (let i = 0; i < MAX_MESSAGES_BEFORE; i++) {
    chatty.take(message(MESSAGE.windowSize, new Uint8Array(4)));
  }
  assert.throws(() => chatty.take(CONNECT), /does not publish/);
});

Deno.test("Conversation answers a ping with its time", () => {
  const ping = message(MESSAGE.userControl, Uint8Array.of(0, 6, 1, 2, 3, 4));
  const [pong] = new Conversation(() => undefined).take(ping);
  assert.equal(pong!.subarray(12).toHex(), "000701020304");
});

Deno.test("Conversation only ever throws RtmpViolation, and asks the judge before anybody publishes", () => {
  const texts = fc.constantFrom(
    "connect",
    "publish",
    "createStream",
    "deleteStream",
    "FCPublish",
    "app",
  );
  const values = fc.array(
    fc.oneof(
      texts,
      fc.double(),
      fc.constant(null),
      texts.map((t) => new Map([[t, t], ["app", "live"]])),
    ),
    { maxLength: 5 },
  );
  const commands = values.map((list) => command(...list));
  const noise = fc.tuple(fc.nat({ max: 22 }), fc.uint8Array({ maxLength: 40 }))
    .map(([type, bytes]) => message(type, new Uint8Array(bytes)));
  fc.assert(
    fc.property(fc.array(fc.oneof(commands, noise), { maxLength: 12 }), (messages) => {
      const talk = new Conversation(() => "no");
      try {
        talk.take(CONNECT);
        for (const one of messages) talk.take(one);
      } catch (error) {
        assert.ok(error instanceof RtmpViolation, String(error));
      }
      assert.notEqual(talk.standing, "publishing");
    }),
    { numRuns: 500 },
  );
});
