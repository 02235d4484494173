/** Recorded dialogues of every draft, changed at random: whatever a peer makes of them, nobody else is disturbed. */
import assert from "node:assert/strict";
import { concat } from "../../base/bytes.ts";
import { type Logger, silent } from "../../base/logger.ts";
import { IetfPeer, ns, raw } from "../../tests/support/ietf_peer.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import type { BidiStream, Connection, SendStream } from "../../transport/connection.ts";
import { type MemoryConnection, memoryPair } from "../../transport/memory/memory.ts";
import { type Draft, profileOf, PROFILES } from "../../wire/ietf/profile.ts";
import { join, type TestRelay, testRelay, tick, Viewer } from "../peers_test.ts";

/** How many changed dialogues each draft gets. With the same number they are the same. */
const DIALOGUES = Number(Deno.env.get("QUMO_TEST_DIALOGUES") ?? 8);

/** What a peer has written on one stream, write by write, in the order in which its streams have begun. */
interface Recorded {
  readonly kind: "uni" | "bidi" | "answer" | "datagram";
  readonly writes: Uint8Array[];
}

/** Writes down what goes out on a connection. */
function record(connection: Connection): Recorded[] {
  const all: Recorded[] = [];
  const spy = (kind: Recorded["kind"], send: SendStream) => {
    const writes: Uint8Array[] = [];
    all.push({ kind, writes });
    const write = send.write.bind(send);
    send.write = (bytes) => {
      writes.push(bytes.slice());
      write(bytes);
    };
  };
  const { openUni, openBidi, acceptBidi, sendDatagram } = connection;
  connection.openUni = async (options) => {
    const send = await openUni.call(connection, options);
    spy("uni", send);
    return send;
  };
  connection.openBidi = async (options) => {
    const stream = await openBidi.call(connection, options);
    spy("bidi", stream.send);
    return stream;
  };
  connection.acceptBidi = async () => {
    const stream = await acceptBidi.call(connection);
    if (stream !== undefined) spy("answer", stream.send);
    return stream;
  };
  connection.sendDatagram = (bytes) => {
    all.push({ kind: "datagram", writes: [bytes.slice()] });
    return sendDatagram.call(connection, bytes);
  };
  return all;
}

function dial({ relay }: TestRelay, draft: Draft) {
  const [near, far] = memoryPair({ protocol: profileOf(draft).alpn });
  void relay.accept(far);
  return { near, far };
}

const track = raw("v");
const room = { namespace: ns("room"), track };

/** A peer that says about everything that its draft has. */
async function talk(at: TestRelay, draft: Draft): Promise<Recorded[]> {
  const { near } = dial(at, draft);
  const recorded = record(near);
  const peer = await IetfPeer.client(near, draft);
  const { profile, dialect } = peer;
  await peer.setup();
  const own = await peer.ask("publishNamespace", { namespace: ns("mine") });
  const published = await peer.ask("publish", {
    ...{ namespace: ns("mine"), track: raw("p"), alias: 9 },
    parameters: { largest: { group: 1, object: 2 } },
  });
  await tick();
  const filter = { kind: "next-object" } as const;
  const watch = await peer.ask("subscribe", { ...room, parameters: { filter, priority: 3 } });
  const status = await peer.ask("trackStatus", room);
  await tick();
  const range = { kind: "range", start: { group: 0, object: 0 }, end: { group: 3 } } as const;
  await peer.ask("fetch", {
    target: { kind: "track", ...room },
    parameters: { filter: range },
  });
  if (profile.messages.startsWith("2")) {
    await peer.ask("subscribe", {
      ...room,
      track: raw("w"),
      parameters: { fill: { filter: range } },
    });
  } else {
    await peer.ask("fetch", {
      target: { kind: "joining", subscription: watch.id, from: "group", group: 0 },
      parameters: {},
    });
  }
  await tick();
  await peer.ask("subscribeNamespace", { prefix: ns("ro"), wanted: "both" });
  if (dialect.has("subscribeTracks")) await peer.ask("subscribeTracks", { prefix: ns("room") });
  watch.update({ priority: 7, ...(profile.unfilteredSubscribe ? {} : { filter: range }) });
  await tick();
  const data = await peer.subgroup({ alias: 9, group: 1, properties: true });
  data.objects("abcd", { id: 5, payload: "ef" });
  const other = await peer.subgroup({ alias: 9, group: 1, subgroup: 4 });
  other.objects("x".repeat(300), "yy").fin();
  peer.datagram({ alias: 9, group: 2, object: 0 }, "hi");
  const viewer = await join(at, 6);
  new Viewer(viewer.client.subscribe("mine", "t"));
  await tick(2);
  while (peer.waiting > 0) {
    const asked = await peer.asked();
    if (asked.request.kind === "subscribe") {
      asked.say("subscribeOk", { alias: 11, parameters: { largest: { group: 4, object: 1 } } });
    } else if (asked.request.kind === "publish") asked.say("requestOk");
  }
  await tick();
  (await peer.subgroup({ alias: 11, group: 5 })).objects("abc", "d").fin();
  await tick();
  published.say("publishDone", { code: 2, streams: 2, reason: "bye" }).finish();
  own.cancel();
  status.finish();
  watch.cancel();
  peer.say("goaway", {});
  await tick();
  viewer.client.close();
  peer.close();
  await tick();
  return recorded;
}

/** Numbers below a bound, the same for each seed. */
function random(seed: number): (below: number) => number {
  let state = Math.imul(seed, 2654435761) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Some of the bytes changed, lost, doubled, or cut. */
function changed(bytes: Uint8Array, pick: (below: number) => number): Uint8Array {
  const out = [...bytes];
  for (let i = pick(3); i > 0 && out.length > 0; i--) {
    const at = pick(out.length);
    const edits = [
      () => out[at] = pick(256),
      () => out[at] = out[at]! ^ (1 << pick(8)),
      () => out.splice(at, 0, pick(256)),
      () => out.splice(at, 1),
      () => out.splice(at),
      () => out.splice(at, 0, ...out.slice(at, at + 8)),
      () => out.splice(at, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
      () => out[at] = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff][pick(8)]!,
    ];
    edits[pick(edits.length)]!();
  }
  return Uint8Array.from(out);
}

/** Says a dialogue again, with changes. @returns The relay's end. */
async function say(
  at: TestRelay,
  draft: Draft,
  recorded: readonly Recorded[],
  pick: (below: number) => number,
): Promise<{ near: MemoryConnection; far: MemoryConnection }> {
  const { near, far } = dial(at, draft);
  const held: unknown[] = [];
  const answers = recorded.filter(({ kind }) => kind === "answer");
  const rate = 1 + pick(12);
  const written = (bytes: Uint8Array) => pick(rate) === 0 ? changed(bytes, pick) : bytes;
  const drain = async ({ receive }: Pick<BidiStream, "receive">) => {
    held.push(receive);
    try {
      while (await receive.read() !== undefined);
    } catch { // it is over
    }
  };
  const answer = async () => {
    for (let i = 0, stream; (stream = await near.acceptBidi()); i++) {
      held.push(stream);
      void drain(stream);
      const from = answers[i % Math.max(1, answers.length)];
      for (const bytes of from?.writes ?? []) stream.send.write(written(bytes));
    }
  };
  const take = async () => {
    for (let receive; (receive = await near.acceptUni());) void drain({ receive });
  };
  void answer();
  void take();
  try {
    let control: SendStream | undefined;
    for (const { kind, writes } of recorded) {
      if (kind === "answer" || pick(20) === 0 && control !== undefined) continue;
      if (kind === "datagram") {
        near.sendDatagram(written(writes[0]!));
        continue;
      }
      const stream = kind === "uni" ? undefined : await near.openBidi();
      const send = stream?.send ?? await near.openUni();
      held.push(send, stream);
      if (stream !== undefined) void drain(stream);
      const isControl = control === undefined;
      control ??= send;
      for (const [i, bytes] of writes.entries()) {
        // SETUP stays whole most of the time.
        send.write(isControl && i === 0 && pick(8) > 0 ? bytes : written(bytes));
        if (pick(3) === 0) await tick();
      }
      const end = pick(isControl ? 40 : 5);
      if (end === 0) send.finish();
      if (end === 1) send.reset(pick(4));
      if (end === 2) stream?.receive.stop(1);
      if (pick(3) === 0) await tick();
      if (pick(3) === 0) at.clock.advance(pick(400));
    }
  } catch { // the relay has had enough
  }
  await tick(2);
  return { near, far };
}

/** A clock that tells how many calls are due. */
class CountingClock extends ManualClock {
  readonly due = new Set<object>();

  override after(delayMs: number, callback: () => void): () => void {
    const entry = { at: new Error().stack };
    this.due.add(entry);
    const cancel = super.after(delayMs, () => {
      this.due.delete(entry);
      callback();
    });
    return () => {
      this.due.delete(entry);
      cancel();
    };
  }
}

for (const { draft, name } of PROFILES) {
  Deno.test(`${name}: changed dialogues fail alone, and leave nothing behind`, async () => {
    const errors: string[] = [];
    const log: Logger = {
      ...silent,
      error: (text, fields) => void errors.push(`${text} ${Deno.inspect(fields)}`),
      with: () => log,
    };
    const clock = new CountingClock();
    const at = testRelay({ clock, log, lingerMs: 0 });
    const publisher = await join(at, 6);
    const producer = publisher.client.publish("room").track("v");
    const viewer = await join(at, 5);
    const watch = new Viewer(viewer.client.subscribe("room", "v"));
    await tick();
    producer.write("first");
    await tick(2);
    const recorded = await talk(at, draft);
    clock.advance(60_000);
    await tick(2);
    const due = clock.due.size;
    let written = 1;
    for (let seed = 1; seed <= DIALOGUES; seed++) {
      const watching = await join(at, 6);
      for (const path of ["mine", "room/x"]) new Viewer(watching.client.subscribe(path, "t"));
      const { near, far } = await say(at, draft, recorded, random(seed));
      producer.write("on");
      await tick(2);
      assert.equal(watch.text(written++), "on");
      near.close();
      watching.client.close();
      await tick(2);
      clock.advance(60_000);
      await tick(2);
      assert.deepEqual(errors, [], `seed ${seed}`);
      assert.deepEqual(far.openStreams, { sending: 0, receiving: 0 }, `seed ${seed}`);
      assert.equal(at.relay.sessionCount, 2, `seed ${seed}`);
      const left = [...clock.due].map((one) => (one as { at: string }).at);
      assert.equal(left.length, due, `seed ${seed}: ${left.slice(due).join("\n")}`);
      assert.equal(at.relay.origin.size, 1);
    }
    await at.relay.close();
  });
}

Deno.test("what follows a request that is refused at once is dropped with it", async () => {
  const at = testRelay();
  const { near } = dial(at, 18);
  const peer = await IetfPeer.client(near, 18);
  await peer.setup();
  const updates = () =>
    [0, 1].map(() => peer.encode("update", { requestId: peer.nextId(), existing: undefined }));
  const length = concat(updates()).length;
  for (let more = 0; more <= length; more++) {
    const subscribe = peer.encode("subscribe", { requestId: peer.nextId(), ...room });
    const { receive } = await peer.bidi(concat([subscribe, concat(updates()).subarray(0, more)]));
    assert.ok((await receive.read())!.length > 0);
    assert.equal(await receive.read(), undefined);
    await tick();
  }
  assert.equal(peer.closed, undefined);
  await at.relay.close();
});
