/**
 * Tracks that sessions of moq-transport publish one by one, on a server with two worker threads, over real QUIC: each peer is
 * at the worker whose port it dials.
 */
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import type { Draft } from "../../wire/ietf/profile.ts";
import { type Ask, IetfPeer, ns } from "../support/ietf_peer.ts";
import { launch, type Launched, until } from "../support/server.ts";

const utf8 = new TextEncoder();
const ROOM = ns("room", "alice");

async function peerOf(server: Launched, worker: number, draft: Draft): Promise<IetfPeer> {
  const url = `moqt://127.0.0.1:${server.port + worker}/`;
  const peer = await IetfPeer.dial(url, draft, { hash: server.certificate.sha256 });
  await peer.setup();
  return peer;
}

/** Publishes a track of the room, and waits until it is accepted. */
async function publish(peer: IetfPeer, track: string, alias: number): Promise<Ask> {
  const value = { namespace: ROOM, track: utf8.encode(track), alias };
  const ask = await peer.ask("publish", value);
  await ask.expect("requestOk");
  return ask;
}

function subscribe(peer: IetfPeer, track: string, rendezvousMs?: number): Promise<Ask> {
  return peer.ask("subscribe", {
    namespace: ROOM,
    track: utf8.encode(track),
    parameters: rendezvousMs === undefined ? {} : { rendezvousTimeoutMs: rendezvousMs },
  });
}

const nameOf = (ask: Ask) => new TextDecoder().decode(ask.value("publish").track);

Deno.test("two sessions publish tracks of one namespace by two workers, and each is served by the one that has it", async () => {
  await using server = await launch({ flags: { "server.workers": "2" } });
  await using camera = await peerOf(server, 0, 18);
  await using microphone = await peerOf(server, 1, 18);
  await using viewer = await peerOf(server, 1, 18);
  await using watcher = await peerOf(server, 0, 18);
  await using lite = await connect(`moqt://127.0.0.1:${server.port + 1}/`, {
    hash: server.certificate.sha256,
  });

  // Who asks for a track before anybody has it waits for it, in whatever worker it comes.
  const early = await subscribe(viewer, "video", 30_000);
  const refused = await subscribe(viewer, "audio");
  await refused.expect("requestError");
  const watching = await watcher.ask("subscribeTracks", { prefix: ns("room") });
  await watching.expect("requestOk");

  await publish(camera, "video", 7);
  const { alias } = await early.expect("subscribeOk");
  const audio = await publish(microphone, "audio", 7);
  const told = [await watcher.asked("publish"), await watcher.asked("publish")];
  assert.deepEqual(told.map(nameOf).sort(), ["audio", "video"]);
  for await (const { path, active } of lite.announced()) {
    if (path === "room/alice" && active) break;
  }

  (await camera.subgroup({ alias: 7, group: 3 })).objects("abcd", { id: 5, payload: "ef" }).fin();
  const stream = await viewer.nextSubgroup();
  await stream.done();
  assert.equal(`${stream}`, `${alias}/3/0 p128 [0=abcd 5=ef] fin`);
  const listening = await subscribe(viewer, "audio");
  const heard = await listening.expect("subscribeOk");
  (await microphone.subgroup({ alias: 7, group: 9 })).objects("gh").fin();
  const sound = await viewer.nextSubgroup();
  await sound.done();
  assert.equal(`${sound}`, `${heard.alias}/9/0 p128 [0=gh] fin`);

  // A viewer of moq-lite asks for a track that comes a moment later, in the other worker.
  const chat = lite.subscribe("room/alice", "chat");
  const words: string[] = [];
  const reading = (async () => {
    for await (const group of chat) {
      for await (const { payload } of group) words.push(new TextDecoder().decode(payload));
      if (words.length === 2) break;
    }
  })();
  await publish(camera, "chat", 8);
  assert.equal(nameOf(await watcher.asked("publish")), "chat");
  let group = 0;
  await until(async () => {
    const stream = await camera.subgroup({ alias: 8, group: group++ });
    stream.objects("hello", { id: 3, payload: "you" }).fin();
    return words.length >= 2;
  }, "the track in moq-lite");
  await reading;
  assert.deepEqual(words, ["hello", "you"]);

  // The one track ends, the other one goes on.
  audio.say("publishDone", { code: 2, streams: 1 }).finish();
  assert.equal((await listening.expect("publishDone")).code, 2);
  await until(async () => {
    const again = await subscribe(viewer, "audio");
    const { kind } = await again.next();
    if (kind === "subscribeOk") again.cancel();
    return kind === "requestError";
  }, "the end of the track in the other worker");
  (await camera.subgroup({ alias: 7, group: 4 })).objects("ij").fin();
  const more = await viewer.nextSubgroup();
  await more.done();
  assert.equal(`${more}`, `${alias}/4/0 p128 [0=ij] fin`);
});
