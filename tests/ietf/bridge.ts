/** Broadcasts between sessions of moq-transport and of moq-lite. */
import assert from "node:assert/strict";
import { decodeProperties, encodeProperties, OBJECT_PROPERTY } from "../../wire/ietf/pairs.ts";
import { type Draft, profileOf } from "../../wire/ietf/profile.ts";
import type { Version } from "../../wire/versions.ts";
import { ns, soon } from "../support/ietf_peer.ts";
import {
  ALIAS,
  askFor,
  freshNamespace,
  heardOf,
  publisherOf,
  type Stage,
  withoutAlias,
} from "../support/peers/ietf_stage.ts";

const LITE: readonly Version[] = ["moq-lite-06", "moq-lite-05"];
const text = new TextDecoder();
const time = (draft: Draft, value: number) =>
  encodeProperties([{ type: OBJECT_PROPERTY.timestamp, value }], profileOf(draft));

/** Fulfils once a client of moq-lite has heard of a broadcast. */
async function announced(
  client: Awaited<ReturnType<Stage["client"]>>,
  path: string,
): Promise<void> {
  for await (const news of client.announced()) if (news.active && news.path === path) return;
}

/** A publisher of moq-transport, watched on moq-lite. */
export async function ietfToLite(stage: Stage, draft: Draft, version: Version): Promise<void> {
  const fields = freshNamespace();
  const publisher = await publisherOf(stage, draft, fields);
  await using client = await stage.client(version, 1);
  const path = fields.join("/");
  await soon(announced(client, path), "the announcement");
  const subscription = client.subscribe(path, "v", { ordered: true, maxLatencyMs: 30_000 });
  const up = await publisher.asked("subscribe");
  assert.equal(up.value("subscribe").parameters.forward ?? true, true);
  up.say("subscribeOk", { alias: ALIAS });
  // A status object tells the end of a group to who reads it: another thread copies bytes.
  const isRead = stage.name !== "workers, moqt";
  const ends = { alias: ALIAS, endOfGroup: true };
  const first = await publisher.subgroup({
    ...{ ...ends, group: 5, properties: true, endOfGroup: !isRead },
  });
  first.objects(
    { payload: "a", properties: time(draft, 1_000_000) },
    { id: 4, payload: "b", properties: time(draft, 1_020_000) },
    { id: 6, status: 3 },
  ).fin();
  const seen: string[] = [];
  const read = async () => {
    const group = await soon(subscription.group(), "a group");
    for await (const { payload, timestamp } of group!) {
      const at = group!.sequence === 5 ? ` at ${timestamp}` : "";
      seen.push(`${group!.sequence}=${text.decode(payload)}${at}`);
    }
  };
  await read();
  (await publisher.subgroup({ ...ends, group: 6 })).object("c").fin();
  await read();
  assert.deepEqual(seen, ["5=a at 1000000", "5=b at 1020000", "6=c"]);
  up.say("publishDone", { code: 2, streams: 2 }).finish();
  assert.equal(await soon(subscription.group(), "the end"), undefined);
}

/** A publisher of moq-lite, watched on moq-transport. */
export async function liteToIetf(stage: Stage, draft: Draft, version: Version): Promise<void> {
  const fields = freshNamespace();
  await using client = await stage.client(version);
  const broadcast = client.publish(fields.join("/"));
  const track = broadcast.track("v", { maxAgeMs: 30_000, timescale: 1000 });
  const viewer = await stage.peer(draft, { worker: 1 });
  await heardOf(viewer, fields);
  const down = await askFor(viewer, fields);
  await down.expect("subscribeOk");
  const payloads = ["a", "b", "c"];
  {
    using group = track.group();
    for (const [i, payload] of payloads.entries()) {
      group.write(new TextEncoder().encode(payload), 5000 + i * 20);
    }
  }
  const seen = await (await viewer.nextSubgroup()).done();
  // Where the end of the group is not known when the stream begins, an object without a payload tells it.
  const objects = seen.objects.filter(({ status }) => status === 0);
  assert.equal(seen.subgroup, 0);
  assert.deepEqual(objects.map(({ id }) => id), [0, 1, 2]);
  assert.deepEqual(objects.map(({ payload }) => text.decode(payload)), payloads);
  const stamps = objects.map(({ properties }) =>
    decodeProperties(properties, profileOf(draft)).find(({ type }) =>
      type === OBJECT_PROPERTY.timestamp || type === OBJECT_PROPERTY.oldTimestamp
    )?.value
  );
  assert.deepEqual(stamps, [5_000_000, 5_020_000, 5_040_000]);
  track.close();
  assert.equal((await down.expect("publishDone")).streams, 1);
}

/** Names that no path of moq-lite could have: the path is another one, and leads back to them. */
export async function oddNames(stage: Stage, draft: Draft): Promise<void> {
  const fields = [...freshNamespace(), "a/b\\c", "\u00e9"];
  const namespace = [...ns(...fields), Uint8Array.of(0xff, 0)];
  const publisher = await stage.peer(draft);
  await (await publisher.ask("publishNamespace", { namespace })).expect("requestOk");
  await using client = await stage.client("moq-lite-06", 1);
  const prefix = fields.slice(0, 2).join("/");
  let path = "";
  for await (const news of client.announced()) {
    if (news.active && news.path.startsWith(prefix)) {
      path = news.path;
      break;
    }
  }
  assert.equal(path, `${prefix}/a\\sb\\\\c/\u00e9/\\xFF\0`);
  const viewer = await stage.peer(draft, { worker: 1 });
  const name = Uint8Array.of(0x2f, 0xfe);
  const down = await viewer.ask("subscribe", { namespace, track: name });
  const up = await publisher.asked("subscribe");
  assert.deepEqual(up.value("subscribe").namespace, namespace);
  assert.deepEqual(up.value("subscribe").track, name);
  up.say("subscribeOk", { alias: ALIAS });
  await down.expect("subscribeOk");
  (await publisher.subgroup({ alias: ALIAS, group: 1 })).object("x").fin();
  assert.equal(withoutAlias(await (await viewer.nextSubgroup()).done()), "1/0 p128 [0=x] fin");
}

/** Tries the bridge both ways on one stage. */
export async function tryBridge(t: Deno.TestContext, stage: Stage, drafts: readonly Draft[]) {
  for (const draft of drafts) {
    for (const version of LITE) {
      await t.step(`draft ${draft} watched on ${version}`, () => ietfToLite(stage, draft, version));
      await t.step(`${version} watched on draft ${draft}`, () => liteToIetf(stage, draft, version));
    }
  }
}
