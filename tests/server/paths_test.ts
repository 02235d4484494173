/**
 * Paths have one normal form over every transport: over HTTP, WebSocket, WebTransport and raw QUIC the same URL names the
 * same broadcast, however it is spelled.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { launch, type Launched, until } from "../support/server.ts";

const SCHEMES = ["moqt", "https", "http", "ws"] as const;

function dial(relay: Launched, scheme: typeof SCHEMES[number], path: string) {
  const hash = scheme === "https" || scheme === "moqt" ? { hash: relay.certificate.sha256 } : {};
  return connect(`${scheme}://127.0.0.1:${relay.port}${path}`, hash);
}

Deno.test("a root outside ASCII is the same root over moqt, https, http and ws, and over HTTP", async () => {
  await using relay = await launch();
  const http = `http://127.0.0.1:${relay.port}`;
  const spellings = ["/räume/1 a", "/r%C3%A4ume%2F1%20a", "//r%c3%a4ume/1%20a/"];
  for (const [index, scheme] of SCHEMES.entries()) {
    await using publisher = await dial(relay, scheme, spellings[index % spellings.length]!);
    publisher.publish(`ö/${scheme}`).track("t").write("hello");
    const name = `räume/1 a/ö/${scheme}`;
    const there = () => relay.server.relay.origin.find(name) !== undefined;
    await until(there, `${name} from ${scheme}`, 60_000); // a busy machine takes its time
    for (const spelling of spellings) {
      const listed = await (await fetch(`${http}/announced${spelling}`)).text();
      assert.equal(listed, `ö/${scheme}\n`, `${scheme} ${spelling}`);
      const fetched = await fetch(`${http}/fetch${spelling}/%C3%B6%2F${scheme}/t`);
      assert.equal(await fetched.text(), "hello", `${scheme} ${spelling}`);
    }
    const reading = SCHEMES[(index + 1) % SCHEMES.length]!;
    await using viewer = await dial(relay, reading, spellings[(index + 1) % spellings.length]!);
    const group = await viewer.subscribe(`ö/${scheme}`, "t").group();
    assert.equal(group?.sequence, 0, `${scheme} to ${reading}`);
    await publisher.close();
    await until(() => relay.server.relay.origin.size === 0, "its end", 60_000);
  }
});

Deno.test("a path that decodes to nothing, to control characters or upwards is refused at every door", async () => {
  await using relay = await launch();
  const { counters } = relay.server.relay;
  for (const wrong of ["/%ff", "/a%00b", "/a%0Ab", "/a%2F..%2Fb", "/%C0%AF"]) {
    const answer = await fetch(`http://127.0.0.1:${relay.port}/announced${wrong}`);
    await answer.body?.cancel();
    assert.equal(answer.status, 400, wrong);
    for (const scheme of ["https", "ws"] as const) {
      await assert.rejects(dial(relay, scheme, wrong), { status: 404 }, `${scheme} ${wrong}`);
    }
    await using client = await dial(relay, "moqt", wrong).catch(() => undefined);
    if (client !== undefined) assert.equal((await client.closed).code, 64 + 404, wrong);
  }
  assert.equal(counters.opened, 0);
});
