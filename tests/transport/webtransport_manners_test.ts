/** HTTP/3 and WebTransport between connections: the control stream, GOAWAY and the drain, and flow control. */
import assert from "node:assert/strict";
import { connectWebTransport } from "../../transport/webtransport/webtransport_client.ts";
import { Capsule, capsuleFrame } from "../../wire/h3/capsules.ts";
import { encodeFrame, FrameType } from "../../wire/h3/frames.ts";
import { encodeHeaders } from "../../wire/h3/qpack.ts";
import { encodeSettings, type FlowWindow, Setting } from "../../wire/h3/settings.ts";
import { all, bytes, webTransportServer } from "../support/transports.ts";

const FLOW_CONTROL_ERROR = 0x045d4487;

async function setUp(window?: FlowWindow) {
  const server = await webTransportServer({
    protocols: [],
    decide: () => ({ status: 200 }),
    ...(window === undefined ? {} : { window }),
  }, { idleTimeoutMs: 5000, keepAliveMs: 1000 });
  const { url, hash } = server;
  return {
    ...server,
    dial: (window?: FlowWindow) =>
      connectWebTransport(url, {
        protocols: [],
        hash,
        ...(window === undefined ? {} : { window }),
      }),
  };
}

const settingsFrame = (settings: [number, number][] = []) =>
  encodeFrame(FrameType.settings, encodeSettings(new Map(settings)));
const control = (...frames: Uint8Array[]) => Uint8Array.of(0, ...frames.flatMap((f) => [...f]));
const goaway = (id: number) => encodeFrame(FrameType.goaway, Uint8Array.of(id));
const CONNECT = encodeFrame(
  FrameType.headers,
  encodeHeaders([
    [":method", "CONNECT"],
    [":protocol", "webtransport"],
    [":scheme", "https"],
    [":authority", "localhost"],
    [":path", "/"],
  ]),
);

for (
  const [what, code, streams] of [
    ["a second control stream", 0x103, [control(settingsFrame()), control(settingsFrame())]],
    ["a second QPACK encoder stream", 0x103, [Uint8Array.of(2), Uint8Array.of(2)]],
    ["a push stream", 0x103, [Uint8Array.of(1, 0)]],
    ["a control stream that begins with GREASE", 0x10a, [control(encodeFrame(0x21, bytes("g")))]],
    ["a control stream that begins with GOAWAY", 0x10a, [control(goaway(0))]],
    ["SETTINGS twice", 0x105, [control(settingsFrame(), settingsFrame())]],
    ["HEADERS on the control stream", 0x105, [control(settingsFrame(), CONNECT)]],
    ["GOAWAY with a higher number", 0x108, [control(settingsFrame(), goaway(0), goaway(4))]],
  ] as [string, number, Uint8Array[]][]
) {
  Deno.test(`HTTP/3: ${what} closes the connection with 0x${code.toString(16)}`, async () => {
    await using server = await setUp();
    const conn = await server.raw();
    for (const said of streams) (await conn.openUni()).write(said);
    assert.equal((await conn.closed).code, code);
  });
}

Deno.test("HTTP/3: a control stream that is finished closes the connection", async () => {
  await using server = await setUp();
  const conn = await server.raw();
  const stream = await conn.openUni();
  stream.write(control(settingsFrame()));
  stream.finish();
  assert.equal((await conn.closed).code, 0x104);
});

Deno.test("a CONNECT is answered once the client's SETTINGS are known, and not before", async () => {
  await using server = await setUp();
  const conn = await server.raw();
  const request = await conn.openBidi();
  request.send.write(CONNECT);
  let answered = false;
  const answer = request.receive.read().then(() => answered = true);
  // A request after it is answered at once, so the CONNECT has been read by then.
  const other = await conn.openBidi();
  other.send.write(
    encodeFrame(FrameType.headers, encodeHeaders([[":method", "GET"], [":path", "/"]])),
  );
  other.send.finish();
  await all(other.receive);
  assert.equal(answered, false);
  const settings = await conn.openUni();
  settings.write(control(settingsFrame()));
  await answer;
  await server.next();
  conn.close();
});

Deno.test("either side asks the other to leave by the drain capsule and GOAWAY, and nothing ends", async () => {
  for (const asking of ["client", "server"] as const) {
    await using server = await setUp();
    const client = await server.dial();
    const there = await server.next();
    const [from, to] = asking === "client" ? [client, there] : [there, client];
    from.drain!();
    from.drain!();
    await to.draining;
    const stream = await to.openUni();
    await stream.flush(bytes("still"));
    stream.finish();
    assert.deepEqual(await all((await from.acceptUni())!), bytes("still"));
    client.close();
    await there.closed;
  }
});

Deno.test("GOAWAY of the connection alone drains its session", async () => {
  await using server = await setUp();
  const conn = await server.raw();
  const settings = await conn.openUni();
  settings.write(control(settingsFrame()));
  const request = await conn.openBidi();
  request.send.write(CONNECT);
  const there = await server.next();
  settings.write(goaway(0));
  await there.draining;
  conn.close();
});

Deno.test("a peer's limits hold: no stream and no byte above them until its capsules come", async () => {
  await using server = await setUp();
  const conn = await server.raw();
  const settings = await conn.openUni();
  settings.write(control(settingsFrame([
    [Setting.initialMaxData, 10],
    [Setting.initialMaxStreamsUni, 1],
  ])));
  const request = await conn.openBidi();
  request.send.write(CONNECT);
  const there = await server.next();
  // The server's own control stream comes first.
  await conn.acceptUni();
  const first = await there.openUni();
  first.write(bytes("0123456789abcde"));
  const second = there.openUni();
  const arrived = (await conn.acceptUni())!;
  let got = "";
  const reading = (async () => {
    for (let chunk; (chunk = await arrived.read());) got += new TextDecoder().decode(chunk.slice());
  })();
  const capsules: number[] = [];
  const answers = (async () => {
    for (let chunk; (chunk = await request.receive.read());) capsules.push(...chunk);
  })();
  const has = async (text: string) => {
    while (!got.endsWith(text)) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await has("0123456789");
  const blocked = (type: number, most: number) => [...capsuleFrame(type, most)].join();
  while (!capsules.join().includes(blocked(Capsule.streamsBlockedUni, 1))) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(capsules.join().includes(blocked(Capsule.dataBlocked, 10)));
  assert.equal(first.blocked, true);
  assert.ok(got.endsWith("0123456789"), got);
  request.send.write(capsuleFrame(Capsule.maxData, 13));
  await has("0123456789abc");
  request.send.write(capsuleFrame(Capsule.maxData, 15));
  await has("0123456789abcde");
  first.finish();
  await reading;
  request.send.write(capsuleFrame(Capsule.maxStreamsUni, 2));
  (await second).finish();
  assert.deepEqual(await all((await conn.acceptUni())!), Uint8Array.of(0x40, 0x54, 0));
  conn.close();
  await Promise.allSettled([answers, there.closed]);
});

Deno.test("a small window moves on with what is read: many streams and a megabyte pass", async () => {
  const window = { data: 20_000, uni: 4, bidi: 2 };
  await using server = await setUp(window);
  const client = await server.dial(window);
  const there = await server.next();
  for (const [from, to] of [[client, there], [there, client]] as const) {
    const sent = Uint8Array.from({ length: 30_000 }, (_, i) => i * 7);
    for (let i = 0; i < 40; i++) {
      const stream = await from.openUni();
      stream.write(sent);
      stream.finish();
      assert.deepEqual(await all((await to.acceptUni())!), sent);
    }
    for (let i = 0; i < 8; i++) {
      const asks = await from.openBidi();
      asks.send.write(bytes("ask"));
      asks.send.finish();
      const answers = (await to.acceptBidi())!;
      await all(answers.receive);
      answers.send.write(sent);
      answers.send.finish();
      assert.deepEqual(await all(asks.receive), sent);
    }
  }
  client.close();
  await there.closed;
});

for (
  const [what, capsules] of [
    ["sends more than it was allowed", undefined],
    ["takes a limit back", [capsuleFrame(Capsule.maxData, 50), capsuleFrame(Capsule.maxData, 40)]],
  ] as const
) {
  Deno.test(`a peer that ${what} is closed with WT_FLOW_CONTROL_ERROR`, async () => {
    await using server = await setUp({ data: 100, uni: 4, bidi: 4 });
    const conn = await server.raw();
    const settings = await conn.openUni();
    settings.write(control(settingsFrame([[Setting.initialMaxData, 10]])));
    const request = await conn.openBidi();
    request.send.write(CONNECT);
    const there = await server.next();
    if (capsules === undefined) {
      const stream = await conn.openUni();
      stream.write(Uint8Array.of(0x40, 0x54, 0, ...new Uint8Array(500)));
      const reading = all((await there.acceptUni())!);
      await assert.rejects(reading);
    } else for (const capsule of capsules) request.send.write(capsule);
    assert.equal((await conn.closed).code, FLOW_CONTROL_ERROR);
    await there.closed;
  });
}
