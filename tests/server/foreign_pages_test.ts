/** Web pages of other sites, and foreign host names that lead here, at an open relay: over sockets and in Chromium. */
import assert from "node:assert/strict";
import { connectWebTransport } from "../../transport/webtransport/webtransport_client.ts";
import { ConnectFailed } from "../../transport/errors.ts";
import { launchChromium } from "../support/pages/chromium.ts";
import { need } from "../support/require.ts";
import { launch, type Launched } from "../support/server.ts";

const EVIL = "http://evil.example";

/** Status of a hand-written request, by default one for a WebSocket. */
async function status(
  relay: Launched,
  host: string,
  origin: string | undefined,
  get?: string,
): Promise<number> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.port });
  const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: qmux-01.moq-lite-05\r\n";
  const from = origin === undefined ? "" : `Origin: ${origin}\r\n`;
  const head = `GET ${get ?? "/"} HTTP/1.1\r\nHost: ${host}\r\n${from}` +
    `${get === undefined ? upgrade : "Connection: close\r\n"}\r\n`;
  await conn.write(new TextEncoder().encode(head));
  const buffer = new Uint8Array(4096);
  const length = await conn.read(buffer);
  const text = new TextDecoder().decode(buffer.subarray(0, length ?? 0));
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
}

/** Status of a request for a WebTransport session. */
async function webTransport(relay: Launched, origin?: string): Promise<number | undefined> {
  try {
    const session = await connectWebTransport(`https://127.0.0.1:${relay.port}/`, {
      protocols: ["moq-lite-05"],
      hash: relay.certificate.sha256,
      ...(origin === undefined ? {} : { headers: { origin } }),
    });
    session.close();
    return 200;
  } catch (error) {
    return error instanceof ConnectFailed ? error.status : undefined;
  }
}

Deno.test("pages of other sites get no session and no answer of an open relay, by any transport", async () => {
  await using relay = await launch();
  const here = `127.0.0.1:${relay.port}`;
  assert.equal(await status(relay, here, EVIL), 403);
  assert.equal(await status(relay, here, "null"), 403);
  assert.equal(await status(relay, `evil.example:${relay.port}`, `${EVIL}:${relay.port}`), 421);
  assert.equal(await status(relay, here, EVIL, "/announced"), 403);
  assert.equal(await status(relay, `evil.example:${relay.port}`, undefined, "/announced"), 421);
  assert.equal(await webTransport(relay, EVIL), 403);
  assert.equal(relay.server.sessionCount, 0);

  assert.equal(await status(relay, here, `http://${here}`), 101);
  assert.equal(await status(relay, here, "http://localhost:8080"), 101);
  assert.equal(await status(relay, "any.example", undefined), 101, "who is no browser");
  assert.equal(await status(relay, here, undefined, "/announced"), 200);
  assert.equal(await status(relay, "any.example", undefined, "/health"), 200);
  assert.equal(await webTransport(relay, `http://${here}`), 200);
  assert.equal(await webTransport(relay), 200);
  const metrics = await (await fetch(`${relay.adminUrl}/metrics`)).text();
  assert.match(metrics, /reason="foreign_page"\} 4$/m);
  assert.match(metrics, /reason="foreign_name"\} 2$/m);
});

Deno.test("auth.origins lets pages of other sites in, and where tokens are asked for any page may show one", async () => {
  for (
    const [flags, yes] of [
      [{ "auth.origins": EVIL }, 101],
      [{ "auth.origins": "*" }, 101],
      [{ "auth.anonymous": "true" }, 403],
      [{ "auth.required": "true" }, 401],
      [{ "auth.public_subscribe": "**" }, 101],
    ] as const
  ) {
    await using relay = await launch({ flags });
    assert.equal(await status(relay, `127.0.0.1:${relay.port}`, EVIL), yes, JSON.stringify(flags));
  }
});

Deno.test({
  name:
    "Chromium: a foreign page, and one under a name made to lead here, neither read an open relay nor get a session",
  ignore: !need("chromium").ok,
  fn: async () => {
    await using relay = await launch();
    using foreign = serveEmpty();
    const site = `http://evil.example:${foreign.port}`;
    const rebound = `http://evil.example:${relay.port}`;
    await using chromium = await launchChromium([
      "--host-resolver-rules=MAP evil.example 127.0.0.1",
      `--unsafely-treat-insecure-origin-as-secure=${site},${rebound}`,
      "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
    ]);
    const page = await chromium.browser.newPage();
    const tried = (at: string) =>
      page.evaluate(
        async ({ at, hash }) => {
          const opened = (socket: WebSocket) =>
            new Promise<string>((resolve) => {
              socket.onopen = () => resolve("open");
              socket.onerror = () => resolve("refused");
            });
          const read = (path: string) =>
            fetch(`http://${at}${path}`).then(
              (answer) => `status ${answer.status}`,
              () => "refused",
            );
          const transport = new WebTransport(`https://${at}/`, {
            serverCertificateHashes: [{ algorithm: "sha-256", value: new Uint8Array(hash) }],
          });
          transport.closed.catch(() => {});
          return {
            webSocket: await opened(new WebSocket(`ws://${at}/`, "qmux-01.moq-lite-05")),
            webTransport: await transport.ready.then(() => "open", () => "refused"),
            http: await read("/announced"),
          };
        },
        { at, hash: [...relay.certificate.sha256] },
      );
    await page.goto(site);
    const refused = { webSocket: "refused", webTransport: "refused", http: "refused" };
    assert.deepEqual(await tried(`127.0.0.1:${relay.port}`), refused);
    const { refused: counted } = relay.server.node.admission;
    assert.equal(counted.get("foreign_page"), 3);
    // The page was loaded from a foreign server by this name. Now the name leads here.
    await page.route(
      `${rebound}/`,
      (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }),
    );
    await page.goto(`${rebound}/`);
    assert.deepEqual(await tried(`evil.example:${relay.port}`), { ...refused, http: "status 421" });
    assert.ok(counted.get("foreign_name")! >= 3, "a browser may ask for an icon too");
    assert.equal(relay.server.sessionCount, 0);

    await page.goto(chromium.origin);
    assert.deepEqual(await tried(`127.0.0.1:${relay.port}`), {
      webSocket: "open",
      webTransport: "open",
      http: "status 200",
    });
  },
});

function serveEmpty() {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }),
  );
  return { port: server.addr.port, [Symbol.dispose]: () => void server.shutdown() };
}
