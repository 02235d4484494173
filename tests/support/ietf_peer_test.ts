import assert from "node:assert/strict";
import { memoryPair } from "../../transport/memory/memory.ts";
import { PROFILES } from "../../wire/ietf/profile.ts";
import { IetfPeer, ns, shown } from "./ietf_peer.ts";

const track = new TextEncoder().encode("v");

for (const { name, draft, requestStreams, namespaceStream, messages } of PROFILES) {
  Deno.test(`${name}: two scripted peers understand each other`, async () => {
    const [near, far] = memoryPair({ readBytes: 3 });
    const [a, b] = await Promise.all([IetfPeer.client(near, draft), IetfPeer.server(far, draft)]);
    await a.setup();
    if (requestStreams) await b.setup();

    const news = await a.ask("publishNamespace", { namespace: ns("room", "alice") });
    const heard = await b.asked("publishNamespace");
    assert.equal(shown(heard.value("publishNamespace").namespace), "room|alice");
    heard.say("requestOk");
    await news.expect("requestOk");

    const wish = await b.ask("subscribe", {
      namespace: ns("room", "alice"),
      track,
      parameters: { priority: 3, filter: { kind: "next-object" } },
    });
    const asked = await a.asked("subscribe");
    assert.equal(asked.value("subscribe").parameters.priority, 3);
    asked.say("subscribeOk", { alias: 7, parameters: { largest: { group: 2, object: 1 } } });
    const { alias, parameters } = await wish.expect("subscribeOk");
    assert.deepEqual([alias, parameters.largest], [7, { group: 2, object: 1 }]);

    const sending = await a.subgroup({ alias: 7, group: 3, properties: true });
    sending.objects("abcd", { id: 5, payload: "ef", properties: Uint8Array.of(0x10, 5) })
      .object({ status: 3 }).fin();
    const seen = await (await b.nextSubgroup()).done();
    assert.equal(`${seen}`, "7/3/0 p128 [0=abcd 5{1005}=ef 6!3] fin");
    assert.deepEqual(seen.decoded, ["0=abcd", "5{16=5}=ef", "6!3"]);
    const cut = await a.subgroup({ alias: 7, group: 4, subgroup: undefined, priority: 1 });
    cut.object({ id: 2, payload: "xy" }).raw(cut.bytesOf("1234").subarray(0, 4));
    const seenCut = await (await b.nextSubgroup()).until(1);
    cut.reset(2);
    await seenCut.done();
    assert.equal(`${seenCut}`, "7/4/2 p1 [2=xy] reset 2");
    a.datagram({ alias: 7, group: 5, object: 1 }, "hi");
    assert.deepEqual((await b.nextDatagram()).payload, new TextEncoder().encode("hi"));

    wish.update({ priority: 9, forward: true, filter: { kind: "all" } });
    const update = await asked.expect("update");
    assert.equal(update.parameters.priority, 9);
    if (messages !== "14") {
      asked.accept(update);
      await wish.expect("requestOk");
    }
    asked.say("publishDone", { code: 2, streams: 2 }).finish();
    assert.equal((await wish.expect("publishDone")).streams, 2);

    const fetch = await b.ask("fetch", {
      target: { kind: "track", namespace: ns("room"), track },
      parameters: {
        filter: { kind: "range", start: { group: 3, object: 0 }, end: { group: 3, object: 5 } },
      },
    });
    const fetched = await a.asked("fetch");
    fetched.say("fetchOk", { end: { group: 3, object: 5 } });
    await fetch.expect("fetchOk");
    const answer = await a.fetchStream(fetched.id);
    answer.object({ group: 3, object: 0 }, "abcd").object({ group: 3, object: 5 }, "ef").fin();
    const got = await (await b.nextFetch()).done();
    assert.equal(`${got}`, `fetch ${fetch.id} [3/0/0=abcd 3/0/5=ef] fin`);

    const watch = await b.ask("subscribeNamespace", { prefix: ns("room"), wanted: "namespaces" });
    const watched = await a.asked("subscribeNamespace");
    watched.say("requestOk");
    await watch.expect("requestOk");
    if (requestStreams || namespaceStream) {
      watched.say("namespace", { suffix: ns("alice") });
      assert.equal(shown((await watch.expect("namespace")).suffix), "alice");
    }
    news.cancel();
    if (requestStreams) assert.equal(await heard.ended(), "reset 1");
    else await heard.expect("publishNamespaceDone");
    watch.cancel();
    if (requestStreams || namespaceStream) assert.equal(await watched.ended(), "reset 1");
    else await watched.expect("unsubscribeNamespace");

    a.say("goaway", { uri: "" });
    await b.expect("goaway");
    const refused = await a.ask("publish", { namespace: ns("room"), track, alias: 9 });
    (await b.asked("publish")).say("requestError", { code: 1, reason: "no" });
    assert.equal((await refused.expect("requestError")).reason, "no");
    a.close(3);
    assert.equal(await b.end(), 3);
  });
}
