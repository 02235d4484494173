/**
 * Our client library in a real browser, through a relay: with another page, and with itself in Deno.
 */
import { words } from "../support/transports.ts";
import assert from "node:assert/strict";
import { type Client, connect, GroupCut, type Subscription } from "../../client/mod.ts";
import { selfSigned } from "../../config/tls/self_signed.ts";
import type { Connection } from "../../transport/connection.ts";
import { StreamReset } from "../../transport/errors.ts";
import { listenQuic } from "../../transport/quic/quic.ts";
import { Arrivals } from "../../transport/queue.ts";
import { acceptWebTransport } from "../../transport/webtransport/webtransport_server.ts";
import { launchChromium, type RunningChromium } from "../support/pages/chromium.ts";
import type { ClientPage, SeenGroup } from "../support/pages/client_page.ts";
import { bundleForPage, loadInPage, type Remote } from "../support/pages/page_bundle.ts";
import { isPayloadOf, payloadOf } from "../support/payload.ts";
import { need } from "../support/require.ts";
import { launch, until } from "../support/server.ts";

const ignore = !need("chromium").ok;

let script: Promise<string> | undefined;

/** A new tab with the library in it. */
async function newPage(chromium: RunningChromium): Promise<Remote<ClientPage>> {
  script ??= bundleForPage(new URL("../support/pages/client_page.ts", import.meta.url));
  return await loadInPage<ClientPage>(await chromium.page(), await script, "ours");
}

/** Reads a track to its end, as a page does. */
async function readAll(subscription: Subscription, groups: SeenGroup[]): Promise<void> {
  const reading: Promise<void>[] = [];
  for await (const group of subscription) {
    const frames: boolean[] = [];
    reading.push((async () => {
      let cut = false;
      try {
        for await (const { payload } of group) {
          frames.push(isPayloadOf(group.sequence, frames.length, payload));
        }
      } catch (error) {
        if (!(error instanceof GroupCut)) throw error;
        cut = true;
      }
      groups.push({ sequence: group.sequence, frames, cut });
    })());
  }
  await Promise.all(reading);
}

function bySequence(groups: readonly SeenGroup[]): SeenGroup[] {
  return groups.toSorted((a, b) => a.sequence - b.sequence);
}

const whole = (sequence: number, frames: number): SeenGroup => ({
  sequence,
  frames: new Array(frames).fill(true),
  cut: false,
});

for (const version of ["moq-lite-06", "moq-lite-05", "moq-lite-04", "moq-lite-03"]) {
  Deno.test({
    name: `a page publishes over ${version}: another page and a Deno client get every group, ` +
      "the one that is cut included",
    ignore,
    async fn() {
      await using relay = await launch();
      await using chromium = await launchChromium();
      const options = { versions: [version] };
      const url = `http://127.0.0.1:${relay.port}/`;
      const publisher = await newPage(chromium);
      const viewer = await newPage(chromium);
      assert.equal(await publisher.connect(url, options), version);
      assert.equal(await viewer.connect(url, options), version);
      await using client = await relay.client("moqt", options);

      await publisher.publish("room/tab");
      assert.deepEqual(await viewer.announced(), { path: "room/tab", active: true });
      await viewer.watch("room/tab");
      await until(async () => await publisher.subscribers() === 1, "the page's subscription");
      const subscription = client.subscribe("room/tab", "data", {
        maxLatencyMs: 30_000,
        startGroup: 0,
      });
      const datagrams: (string | undefined)[] = [];
      subscription.ondatagram = ({ payload }) => datagrams.push(words(payload));
      const read: SeenGroup[] = [];
      const reading = readAll(subscription, read);
      await relaySubscribers(relay.api, 2);

      await publisher.write({ from: 0, count: 6, frames: 5 });
      await publisher.begin(2);
      await until(async () => (await viewer.seen()).groups.some(isHalf), "half a group");
      await publisher.cut();
      await publisher.write({ from: 7, count: 1, frames: 5 });
      if (version >= "moq-lite-05") {
        for (let tries = 0; (await viewer.seen()).datagrams.length === 0 && tries < 100; tries++) {
          await publisher.datagram("a datagram");
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        assert.equal((await viewer.seen()).datagrams[0], "a datagram");
        assert.equal(datagrams[0], "a datagram");
      }
      assert.deepEqual(await viewer.fetch("room/tab", 7), whole(7, 5));
      const expected = [0, 1, 2, 3, 4, 5].map((sequence) => whole(sequence, 5));
      expected.push({ sequence: 6, frames: [true, true], cut: true }, whole(7, 5));
      const isOver = ({ cut, frames }: SeenGroup) => cut || frames.length === 5;
      const over = (groups: readonly SeenGroup[]) => groups.filter(isOver).length === 8;
      await until(async () => over((await viewer.seen()).groups), "eight groups in the page");
      assert.deepEqual(bySequence((await viewer.seen()).groups), expected);
      await until(() => over(read), "eight groups in Deno");
      assert.deepEqual(bySequence(read), expected);
      subscription.close();
      await reading;
      for (const page of [publisher, viewer]) {
        await page.close(0, "");
        assert.deepEqual(await page.uncaught(), []);
      }
    },
  });
}

const isHalf = ({ sequence, frames }: SeenGroup) => sequence === 6 && frames.length === 2;

async function relaySubscribers(
  api: <T>(path: string) => Promise<T>,
  count: number,
): Promise<void> {
  type Tracks = { subscribers: number }[];
  await until(async () => {
    const answer = await api<Tracks | { tracks: Tracks }>("/api/v1/tracks");
    const tracks = Array.isArray(answer) ? answer : answer.tracks;
    return tracks.some(({ subscribers }) => subscribers === count);
  }, `${count} subscribers`);
}

Deno.test({
  name: "a page watches what a Deno client publishes over raw QUIC and over WebTransport",
  ignore,
  async fn() {
    await using relay = await launch();
    await using chromium = await launchChromium();
    for (const scheme of ["moqt", "https"] as const) {
      await using client: Client = await relay.client(scheme);
      using broadcast = client.publish(`by/${scheme}`);
      const track = broadcast.track("data", { maxAgeMs: 30_000 });
      const viewer = await newPage(chromium);
      await viewer.connect(`https://127.0.0.1:${relay.port}/`, {
        hash: relay.certificate.sha256.toHex(),
      });
      await viewer.watch(`by/${scheme}`);
      await until(() => track.subscribers === 1, "a subscriber");
      for (let sequence = 0; sequence < 8; sequence++) {
        using group = track.group();
        for (let frame = 0; frame < 5; frame++) group.write(payloadOf(sequence, frame));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await until(async () => (await viewer.seen()).groups.length === 8, "eight groups");
      track.close();
      await until(async () => (await viewer.seen()).ended, "the end of the track");
      const expected = Array.from({ length: 8 }, (_, sequence) => whole(sequence, 5));
      assert.deepEqual(bySequence((await viewer.seen()).groups), expected);
      await viewer.close(0, "");
      assert.deepEqual(await viewer.uncaught(), []);
    }
  },
});

/** A server that takes WebTransport sessions and does nothing with them. */
async function bareServer() {
  const certificate = await selfSigned(["localhost", "127.0.0.1"]);
  const listener = listenQuic({
    ...{ hostname: "127.0.0.1", port: 0, ...certificate },
    protocols: ["h3"],
  });
  const sessions = new Arrivals<Connection>();
  /** Ends the QUIC connection below a session without closing the session. */
  const drop: (() => void)[] = [];
  const running = (async () => {
    for await (const conn of listener) {
      drop.push(() => conn.close(0x100));
      acceptWebTransport(conn, {
        protocols: ["moq-lite-04"],
        decide: ({ path }) => ({ status: path.startsWith("/secret") ? 401 : 200 }),
      }).then((session) => session && sessions.push(session), () => {});
    }
  })();
  return {
    url: `https://127.0.0.1:${listener.addr.port}/`,
    hash: certificate.sha256.toHex(),
    next: async () => (await sessions.next())!,
    drop,
    async [Symbol.asyncDispose]() {
      listener.close();
      sessions.end();
      await running;
    },
  };
}

Deno.test({
  name: "a page's session ends with the code and the reason of whoever closed it, or as lost",
  ignore,
  async fn() {
    await using server = await bareServer();
    await using chromium = await launchChromium();
    const page = await newPage(chromium);
    const { url, hash } = server;

    await page.connect(url, { hash });
    (await server.next()).close(4_000_000_000, "grüße");
    assert.deepEqual(await page.closed(), {
      ...{ code: 4_000_000_000, reason: "grüße", abrupt: false },
    });

    await page.connect(url, { hash });
    await page.close(7, "enough seen");
    assert.deepEqual(await page.closed(), { code: 7, reason: "enough seen", abrupt: false });
    assert.deepEqual(await (await server.next()).closed, {
      ...{ code: 7, reason: "enough seen", abrupt: false },
    });

    await page.connect(url, { hash });
    server.drop.at(-1)!();
    const { abrupt, reason } = await page.closed();
    assert.equal(abrupt, true);
    assert.notEqual(reason, "");
    assert.deepEqual(await page.uncaught(), []);
  },
});

Deno.test({
  name: "a page resets and stops streams with their codes",
  ignore,
  async fn() {
    await using server = await bareServer();
    await using chromium = await launchChromium();
    const page = await newPage(chromium);
    const { url, hash } = server;

    await page.opens(url, hash);
    const stream = (await (await server.next()).acceptUni())!;
    assert.equal(words(await stream.read()), "half");
    // A reset loses the bytes in flight, so it comes after they have arrived.
    const rejected = assert.rejects(stream.read(), new StreamReset(77));
    assert.equal(await page.resets(77), "reset");
    await rejected;

    const stopped = page.stops(url, hash, 5);
    const send = await (await server.next()).openUni();
    send.write(new TextEncoder().encode("hello"));
    assert.equal(await stopped, "hello, then undefined");
    for (let tries = 0; !send.done && tries < 500; tries++) {
      send.write(Uint8Array.of(1)); // Deno reports STOP_SENDING at the next write.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(await send.closed, "stopped");
    assert.deepEqual(await page.uncaught(), []);
  },
});

Deno.test({
  name: "a page that cannot connect is told what to do",
  ignore,
  async fn() {
    await using server = await bareServer();
    await using relay = await launch();
    await using chromium = await launchChromium();
    const page = await newPage(chromium);
    const { url, hash } = server;

    const refused = await page.connectFails(`${url}secret?jwt=hush`, { hash });
    assert.equal(refused.code, "QUMO_HANDSHAKE_FAILED");
    assert.match(refused.message, /\/secret: .*the path, the token or the versions \(moq-lite-06/);
    assert.doesNotMatch(refused.message, /hush/);

    const wrong = await page.connectFails(url, { hash: "00".repeat(32) });
    assert.equal(wrong.code, "QUMO_HANDSHAKE_FAILED");
    assert.match(wrong.message, /not the pinned one/);

    const unpinned = await page.connectFails(url);
    assert.match(unpinned.message, /does not trust the certificate \(pin a self-made one/);

    const versions = await page.connectFails(url, { hash, versions: ["moq-lite-06"] });
    assert.equal(versions.code, "QUMO_HANDSHAKE_FAILED");
    assert.match(versions.message, /the versions \(moq-lite-06\)/);

    const raw = await page.connectFails(`moqt://127.0.0.1:${relay.port}/`);
    assert.match(raw.message, /raw QUIC.*use https:\/\//);

    const headers = await page.connectFails(url, { hash, headers: { authorization: "x" } });
    assert.match(headers.message, /put a token into the query/);

    const late = await page.connectFails("https://127.0.0.1:9/", { timeoutMs: 1 });
    assert.match(late.message, /no answer in time/);

    const nobody = await page.connectFails("http://127.0.0.1:9/");
    assert.match(nobody.message, /hash could not be fetched from http:\/\/127\.0\.0\.1:9/);

    const tab = await chromium.page();
    await tab.evaluate("delete globalThis.WebTransport");
    const bare = await loadInPage<ClientPage>(tab, await script!, "ours");
    const none = await bare.connectFails(url, { hash });
    assert.equal(none.code, "QUMO_NO_WEBTRANSPORT");
    assert.match(none.message, /this browser has no WebTransport; use a current/);
    for (const one of [page, bare]) assert.deepEqual(await one.uncaught(), []);
  },
});

Deno.test("Deno says why it could not connect: certificate, status, versions", async () => {
  await using server = await bareServer();
  const { url, hash } = server;
  const code = (expected: string, message: RegExp) => (error: Error & { code?: string }) =>
    error.code === expected && message.test(error.message);
  await assert.rejects(
    connect(url, { hash: "00".repeat(32) }),
    code("QUMO_CERTIFICATE_REFUSED", /not the pinned one/),
  );
  await assert.rejects(connect(url), code("QUMO_CERTIFICATE_REFUSED", /pin its SHA-256/));
  await assert.rejects(
    connect(`${url}secret?jwt=hush`, { hash }),
    code("QUMO_REQUEST_REFUSED", /\/secret: the server answered with status 401: it wants a token/),
  );
  await assert.rejects(
    connect(url, { hash, versions: ["moq-lite-06"] }),
    code("QUMO_REQUEST_REFUSED", /status 400: it speaks none of the versions/),
  );
  await assert.rejects(
    connect(url.replace("https", "moqt"), { hash, versions: ["moq-lite-06"] }),
    code("QUMO_NO_COMMON_VERSION", /we speak moq-lite-06/),
  );
});
