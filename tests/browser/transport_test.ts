import assert from "node:assert/strict";
import type { Connection } from "../../transport/connection.ts";
import { StreamReset } from "../../transport/errors.ts";
import { launchChromium } from "../support/pages/chromium.ts";
import { need } from "../support/require.ts";
import { bytes, webTransportServer, words } from "../support/transports.ts";

Deno.test({
  name: "Chromium's WebTransport and ours understand each other",
  ignore: !need("chromium").ok,
  async fn(t) {
    const origins: (string | undefined)[] = [];
    await using server = await webTransportServer({
      protocols: ["moq-lite-04", "moq-lite-05"],
      decide: ({ path, origin }) => {
        origins.push(origin);
        return { status: path.startsWith("/room") ? 200 : 404 };
      },
    }, { alpn: ["moq-lite-05"] });
    await using chromium = await launchChromium();
    const page = await chromium.page();
    const at = { port: Number(server.url.port), hash: [...server.hash] };
    /** Opens a session as `transport` in the page and returns our end. */
    const open = async (): Promise<{ chosen: string; there: Connection }> => {
      const chosen = await page.evaluate(async ({ port, hash }) => {
        const value = new Uint8Array(hash);
        const transport = new WebTransport(`https://127.0.0.1:${port}/room?jwt=abc`, {
          serverCertificateHashes: [{ algorithm: "sha-256", value }],
          protocols: ["moq-lite-05", "moq-lite-04"],
        } as WebTransportOptions);
        await transport.ready;
        Object.assign(globalThis, { transport });
        return (transport as unknown as { protocol: string }).protocol;
      }, at);
      return { chosen, there: await server.next() };
    };

    await t.step("the protocol, the path and the origin arrive", async () => {
      const { chosen, there } = await open();
      assert.equal(chosen, "moq-lite-05");
      assert.equal(there.protocol, "moq-lite-05");
      assert.equal(there.path, "/room?jwt=abc");
      assert.deepEqual(origins, [chromium.origin]);
      there.close();
    });

    await t.step("streams go both ways, with their ends", async () => {
      const { there } = await open();
      const answered = page.evaluate(async () => {
        const transport = (globalThis as unknown as { transport: WebTransport }).transport;
        const uni = (await transport.createUnidirectionalStream()).getWriter();
        await uni.write(new TextEncoder().encode("hello"));
        await uni.close();
        const asks = await transport.createBidirectionalStream();
        const ask = asks.writable.getWriter();
        await ask.write(new TextEncoder().encode("ask"));
        await ask.close();
        const first = await transport.incomingUnidirectionalStreams.getReader().read();
        const both = await transport.incomingBidirectionalStreams.getReader().read();
        const reply = both.value!.writable.getWriter();
        await reply.write(new TextEncoder().encode("reply"));
        await reply.close();
        return await Promise.all(
          [asks.readable, first.value!, both.value!.readable].map((stream) =>
            new Response(stream).text()
          ),
        );
      });
      const uni = (await there.acceptUni())!;
      assert.equal(words(await uni.read()), "hello");
      assert.equal(await uni.read(), undefined);
      const asks = (await there.acceptBidi())!;
      assert.equal(words(await asks.receive.read()), "ask");
      assert.equal(await asks.receive.read(), undefined);
      asks.send.write(bytes("answer"));
      asks.send.finish();
      const big = await there.openUni();
      big.write(new Uint8Array(100_000).fill(0x78));
      big.finish();
      const both = await there.openBidi();
      both.send.write(bytes("question"));
      both.send.finish();
      assert.equal(words(await both.receive.read()), "reply");
      assert.deepEqual(await answered, ["answer", "x".repeat(100_000), "question"]);
      there.close();
    });

    await t.step("a stream the page abandons is reset with its code", async () => {
      const { there } = await open();
      await page.evaluate(async () => {
        const transport = (globalThis as unknown as { transport: WebTransport }).transport;
        const writer = (await transport.createUnidirectionalStream()).getWriter();
        await writer.write(new TextEncoder().encode("half"));
        Object.assign(globalThis, { writer });
      });
      const receive = (await there.acceptUni())!;
      assert.equal(words(await receive.read()), "half");
      const rejected = assert.rejects(receive.read(), new StreamReset(77));
      await page.evaluate(() => {
        const { writer } = globalThis as unknown as { writer: WritableStreamDefaultWriter };
        // Chromium still has the constructor of the older drafts.
        const Failure = WebTransportError as unknown as new (init: object) => Error;
        return writer.abort(new Failure({ streamErrorCode: 77, message: "no more" }));
      });
      await rejected;
      there.close();
    });

    await t.step("datagrams go both ways", async () => {
      const { there } = await open();
      const got = page.evaluate(async () => {
        const transport = (globalThis as unknown as { transport: WebTransport }).transport;
        const { readable } = transport.datagrams;
        const datagrams = transport.datagrams as unknown as {
          writable?: WritableStream;
          createWritable?: () => WritableStream;
        };
        const writer = (datagrams.writable ?? datagrams.createWritable!()).getWriter();
        await writer.write(new TextEncoder().encode("from the page"));
        return new TextDecoder().decode((await readable.getReader().read()).value);
      });
      assert.equal(words(await there.readDatagram()), "from the page");
      assert.equal(there.sendDatagram(bytes("from the relay")), true);
      assert.equal(await got, "from the relay");
      there.close();
    });

    await t.step("the page closes with a code and a reason", async () => {
      const { there } = await open();
      await page.evaluate(() =>
        (globalThis as unknown as { transport: WebTransport }).transport.close({
          closeCode: 7,
          reason: "enough seen",
        })
      );
      assert.deepEqual(await there.closed, { code: 7, reason: "enough seen", abrupt: false });
    });

    await t.step("the relay closes with a code and a reason", async () => {
      const { there } = await open();
      there.close(4_000_000_000, "grüße");
      const info = await page.evaluate(async () => {
        const { closed } = (globalThis as unknown as { transport: WebTransport }).transport;
        const { closeCode, reason } = await closed;
        return [closeCode, reason];
      });
      assert.deepEqual(info, [4_000_000_000, "grüße"]);
    });

    await t.step("a page that is left behind ends its session", async () => {
      const { there } = await open();
      await page.goto(`${chromium.origin}/elsewhere`);
      assert.equal((await there.closed).abrupt, false);
    });

    await t.step("a path that is not served is refused before there is a session", async () => {
      const failure = await page.evaluate(async ({ port, hash }) => {
        const value = new Uint8Array(hash);
        const transport = new WebTransport(`https://127.0.0.1:${port}/none`, {
          serverCertificateHashes: [{ algorithm: "sha-256", value }],
        });
        transport.closed.catch(() => {});
        return await transport.ready.then(() => "opened", (thrown) => thrown.name as string);
      }, at);
      assert.equal(failure, "WebTransportError");
    });
  },
});
