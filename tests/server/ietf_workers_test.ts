/** Objects of moq-transport that come in by one worker and go out by each, over real QUIC. */
import assert from "node:assert/strict";
import { IetfPeer, ns } from "../support/ietf_peer.ts";
import { counting } from "../support/fixtures/relay.ts";
import { launch, type Launched } from "../support/server.ts";
import { encodeProperties } from "../../wire/ietf/pairs.ts";
import { type Draft, profileOf } from "../../wire/ietf/profile.ts";

const VIDEO = new TextEncoder().encode("video");

async function peerOf(at: Launched, worker: number, draft: Draft): Promise<IetfPeer> {
  const url = `moqt://localhost:${at.port + worker}/`;
  const peer = await IetfPeer.dial(url, draft, { hash: at.certificate.sha256 });
  await peer.setup();
  return peer;
}

async function subscribed(viewer: IetfPeer) {
  const filter = { kind: "next-object" } as const;
  const asked = { namespace: ns("room"), track: VIDEO, parameters: { filter } };
  return await viewer.ask("subscribe", asked);
}

/** What a stream brought, without the alias of the track. */
const line = (stream: { toString(): string }) => `${stream}`.replace(/^\d+\//, "");

const GROUPS = 12;

for (const draft of [14, 16, 18] as const) {
  Deno.test(`draft ${draft}: objects cross between workers as they came: subgroups, gaps, properties, status, datagrams`, async () => {
    await using at = await launch({ flags: { "server.workers": "2" } });
    const publisher = await peerOf(at, 0, draft);
    const news = await publisher.ask("publishNamespace", { namespace: ns("room") });
    await news.expect("requestOk");
    const viewers = await Promise.all([0, 1].map((worker) => peerOf(at, worker, draft)));
    const wishes = [await subscribed(viewers[0]!)];
    const upstream = await publisher.asked("subscribe");
    upstream.say("subscribeOk", { alias: 7, parameters: { largest: { group: 1, object: 4 } } });
    wishes.push(await subscribed(viewers[1]!));
    for (const wish of wishes) {
      const { parameters } = await wish.expect("subscribeOk");
      assert.deepEqual(parameters.largest, { group: 1, object: 4 });
    }

    const properties = encodeProperties(
      [{ type: 0x0d, value: counting(40) }, { type: 0x3e, value: 9 }],
      profileOf(draft),
    );
    const sent: string[] = [];
    for (let group = 2; group < 2 + GROUPS; group++) {
      const subgroups = await Promise.all([0, 1, 5].map(async (subgroup) => {
        const head = { group, subgroup, priority: 100 + subgroup, properties: subgroup > 0 };
        return { head, words: [] as string[], to: await publisher.subgroup({ alias: 7, ...head }) };
      }));
      for (let i = 0; i < 4; i++) {
        for (const [n, { head, words, to }] of subgroups.entries()) {
          const id = 10 * i + n;
          const payload = `${group}.${n}.${i} ${"x".repeat((group * 7919 * (i + n)) % 9000)}`;
          const has = head.properties && i > 0;
          to.object({ id, payload, ...(has && { properties }) });
          words.push(`${id}${has ? `{${properties.toHex()}}` : ""}=${payload}`);
        }
        if (i === 1) await new Promise((resolve) => setTimeout(resolve, 1)); // lets others see a half
      }
      for (const { head, words, to } of subgroups) {
        to.object({ id: 99, status: 3 }).fin();
        sent.push(`${group}/${head.subgroup} p${head.priority} [${words.join(" ")} 99!3] fin`);
      }
    }
    for (const viewer of viewers) {
      const seen: string[] = [];
      while (seen.length < sent.length) seen.push(line(await (await viewer.nextSubgroup()).done()));
      assert.deepEqual(seen.toSorted(), sent.toSorted());
    }

    for (const object of [0, 3]) {
      publisher.datagram({ alias: 7, group: 50, object, properties, priority: 9 }, `d${object}`);
      for (const viewer of viewers) {
        const { alias: _, ...datagram } = await viewer.nextDatagram();
        assert.deepEqual(datagram, {
          ...{ group: 50, object, properties, priority: 9, status: 0, endOfGroup: false },
          payload: new TextEncoder().encode(`d${object}`),
        });
      }
    }
    upstream.say("publishDone", { code: 2, streams: sent.length }).finish();
    for (const wish of wishes) {
      const { streams } = await wish.expect("publishDone");
      assert.equal(streams, sent.length);
    }
  });
}
