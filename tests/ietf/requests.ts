/** What the relay answers to requests, and what it asks of publishers. */
import assert from "node:assert/strict";
import { requestCode } from "../../wire/ietf/codes.ts";
import type { Request } from "../../wire/ietf/dialect.ts";
import type { Filter } from "../../wire/ietf/filter.ts";
import { type Draft, profileOf, withSizedParameters } from "../../wire/ietf/profile.ts";
import { type Ask, type IetfPeer, ns, raw, shown } from "../support/ietf_peer.ts";
import {
  ALIAS,
  askFor,
  freshNamespace,
  heardOf,
  offered,
  type Path,
  path,
  publisherOf,
  refused,
  type Stage,
  withoutAlias,
} from "../support/peers/ietf_stage.ts";
import type { Claim, Pair } from "./claims.ts";

const codeOf = (draft: Draft, word: string, request: Request = "subscribe") =>
  requestCode(profileOf(draft), request, word);

/** A path whose publisher has sent groups 0 and 1, and two objects of group 2, which is open. The viewer has them. */
async function running(stage: Stage, pair: Pair) {
  const at = await path(stage, pair);
  for (const group of [0, 1]) {
    const out = await at.publisher.subgroup({ alias: ALIAS, group });
    out.objects("x", "y").fin();
  }
  const open = await at.publisher.subgroup({ alias: ALIAS, group: 2 });
  open.objects("a", "b");
  for (let i = 0; i < 3; i++) await (await at.viewer.nextSubgroup()).until(2);
  return { ...at, open };
}

/** What a second viewer with this filter gets of a track that runs, while an object and two groups more come. */
async function filtered(stage: Stage, pair: Pair, filter: Filter | undefined, count: number) {
  const { publisher, fields, open, up } = await running(stage, pair);
  const viewer = await stage.peer(pair.to, { worker: 1 });
  const ask = await askFor(viewer, fields, filter && { filter });
  const { parameters } = await ask.expect("subscribeOk");
  assert.deepEqual(parameters.largest, { group: 2, object: 1 });
  open.object("c").fin();
  for (const group of [3, 4]) {
    (await publisher.subgroup({ alias: ALIAS, group })).object("n").fin();
  }
  up.say("publishDone", { code: 2, streams: 5 }).finish();
  const { streams } = await ask.expect("publishDone");
  assert.equal(streams, count);
  const seen = [];
  while (seen.length < count) seen.push(await (await viewer.nextSubgroup()).done());
  return seen.toSorted((a, b) => a.header.group - b.header.group)
    .map((one) => withoutAlias(one).replace(/ p128/, ""));
}

const NEWEST = ["2/0 [0=a 1=b 2=c] fin", "3/0 [0=n] fin", "4/0 [0=n] fin"];

/** How a watcher asks for the tracks, or the namespaces, below a prefix. */
export async function watch(
  peer: IetfPeer,
  fields: readonly string[],
  wanted: "tracks" | "namespaces",
): Promise<Ask> {
  const kind = wanted === "tracks" && peer.dialect.has("subscribeTracks")
    ? "subscribeTracks"
    : "subscribeNamespace";
  const ask = await peer.ask(kind, { prefix: ns(...fields), wanted });
  await ask.expect("requestOk");
  return ask;
}

async function publishTrack(
  peer: IetfPeer,
  fields: readonly string[],
  name: string,
  alias: number,
) {
  const ask = await peer.ask("publish", { namespace: ns(...fields), track: raw(name), alias });
  const { parameters } = await ask.expect("requestOk");
  assert.notEqual(parameters.forward, false);
  return ask;
}

const requestStreams = ({ to }: Pair) => profileOf(to).requestStreams;

/** Ends a track of a path. */
function endOf({ up }: Pick<Path, "up">): void {
  up.say("publishDone", { code: 2, streams: 0 }).finish();
}

export const REQUESTS: readonly Claim[] = [
  {
    says: "without a filter a viewer gets the newest group from its first object",
    when: ({ to }) => to !== 14, // there is always one
    run: async (stage, pair) => assert.deepEqual(await filtered(stage, pair, undefined, 3), NEWEST),
  },
  {
    says: "the filter for the next object leaves out what was sent before",
    run: async (stage, pair) =>
      assert.deepEqual(await filtered(stage, pair, { kind: "next-object" }, 3), [
        "2/0 [2=c] fin",
        ...NEWEST.slice(1),
      ]),
  },
  {
    says: "the filter for the next group begins there",
    run: async (stage, pair) =>
      assert.deepEqual(
        await filtered(stage, pair, { kind: "groups-back", groups: 0 }, 2),
        NEWEST.slice(1),
      ),
  },
  {
    says: "a range in the future has its first and its last object",
    async run(stage, pair) {
      const start = { group: 3, object: 0 };
      const filter: Filter = { kind: "range", start, end: { group: 3 } };
      assert.deepEqual(await filtered(stage, pair, filter, 1), ["3/0 [0=n] fin"]);
    },
  },
  {
    says: "a range without an end goes on from its start",
    async run(stage, pair) {
      const filter: Filter = { kind: "range", start: { group: 4, object: 0 } };
      assert.deepEqual(await filtered(stage, pair, filter, 1), ["4/0 [0=n] fin"]);
    },
  },
  {
    says: "a viewer with forward 0 gets nothing until an update asks for it",
    async run(stage, pair) {
      const at = await path(stage, { ...pair, wishes: { forward: false } });
      const { publisher, viewer, down, up } = at;
      assert.notEqual(up.value("subscribe").parameters.forward, false);
      const other = await stage.peer(pair.to, { worker: 1 });
      await (await askFor(other, at.fields)).expect("subscribeOk");
      (await publisher.subgroup({ alias: ALIAS, group: 0 })).object("unseen").fin();
      await (await other.nextSubgroup()).done();
      assert.equal(viewer.streams.length, 0);
      down.update({ forward: true });
      // Draft 14 answers no update, so another question shows that it has been read.
      if (pair.to === 14) {
        await refused(await askFor(viewer, ["nowhere"]), codeOf(14, "doesNotExist"));
      } else await down.expect("requestOk");
      (await publisher.subgroup({ alias: ALIAS, group: 1 })).object("seen").fin();
      const words: string[] = [];
      do words.push(...(await (await viewer.nextSubgroup()).done()).words); while (
        !words.includes("0=seen")
      );
      endOf(at);
      assert.equal((await down.expect("publishDone")).streams, viewer.streams.length);
    },
  },
  {
    says: "who asks for what nobody has is told so at once",
    async run(stage, { to }) {
      const viewer = await stage.peer(to);
      await refused(await askFor(viewer, freshNamespace()), codeOf(to, "doesNotExist"));
    },
  },
  {
    says: "a refusal of the publisher reaches the viewer",
    async run(stage, { from, to }) {
      const fields = freshNamespace();
      const publisher = await publisherOf(stage, from, fields);
      const viewer = await stage.peer(to, { worker: 1 });
      await heardOf(viewer, fields);
      const down = await askFor(viewer, fields);
      const up = await publisher.asked("subscribe");
      up.say("requestError", { code: codeOf(from, "doesNotExist"), reason: "no such track" });
      await refused(down, codeOf(to, "doesNotExist"));
    },
  },
  {
    says: "a subscription waits 500 ms for its publisher, and then ends with a timeout",
    when: requestStreams,
    async run(stage, { to }) {
      const viewer = await stage.peer(to);
      const wishes = { rendezvousTimeoutMs: 500 };
      await refused(await askFor(viewer, freshNamespace(), wishes), codeOf(to, "timeout"));
    },
  },
  {
    says: "a subscription that waits is served as soon as a publisher comes",
    when: requestStreams,
    async run(stage, { from, to }) {
      const fields = freshNamespace();
      const viewer = await stage.peer(to, { worker: 1 });
      const early = await askFor(viewer, fields, { rendezvousTimeoutMs: 9_000 });
      const below = [...fields, "below"];
      const published = await askFor(viewer, below, { rendezvousTimeoutMs: 9_000 }, "w");
      const second = await stage.peer(from);
      await publishTrack(second, below, "w", 5);
      await published.expect("subscribeOk");
      const publisher = await publisherOf(stage, from, fields);
      (await publisher.asked("subscribe")).say("subscribeOk", { alias: ALIAS });
      await early.expect("subscribeOk");
      (await second.subgroup({ alias: 5, group: 1 })).object("hi").fin();
      assert.equal(withoutAlias(await (await viewer.nextSubgroup()).done()), "1/0 p128 [0=hi] fin");
    },
  },
  {
    says: "two sessions publish different tracks of one namespace, and a viewer watches both",
    async run(stage, { from, to }) {
      const fields = freshNamespace();
      const [one, two] = [await stage.peer(from), await stage.peer(from, { worker: 1 })];
      await publishTrack(one, fields, "v", 1);
      await publishTrack(two, fields, "a", 1);
      const viewer = await stage.peer(to, { worker: 1 });
      await offered(stage, to, fields, 2);
      const video = await (await askFor(viewer, fields)).expect("subscribeOk");
      const audio = await (await askFor(viewer, fields, {}, "a")).expect("subscribeOk");
      (await one.subgroup({ alias: 1, group: 1 })).object("picture").fin();
      (await two.subgroup({ alias: 1, group: 1 })).object("sound").fin();
      const seen = new Map<unknown, string>();
      while (seen.size < 2) {
        const stream = await (await viewer.nextSubgroup()).done();
        seen.set(stream.header.alias, stream.words.join());
      }
      assert.equal(seen.get(video.alias), "0=picture");
      assert.equal(seen.get(audio.alias), "0=sound");
    },
  },
  {
    says: "who watches a prefix gets PUBLISH of each track, and its objects",
    async run(stage, { from, to }) {
      const fields = freshNamespace();
      const viewer = await stage.peer(to, { worker: 1 });
      await watch(viewer, fields, "tracks");
      const publisher = await stage.peer(from);
      const track = await publishTrack(publisher, [...fields, "alice"], "v", 9);
      const publish = await viewer.asked("publish");
      const { namespace, alias } = publish.value("publish");
      assert.equal(shown(namespace), [...fields, "alice"].join("|"));
      publish.say("requestOk");
      (await publisher.subgroup({ alias: 9, group: 1 })).object("hi").fin();
      const seen = await (await viewer.nextSubgroup()).done();
      assert.equal(`${seen}`, `${alias}/1/0 p128 [0=hi] fin`);
      track.say("publishDone", { code: 2, streams: 1 }).finish();
      const done = await publish.expect("publishDone");
      assert.deepEqual([done.code, done.streams], [2, 1]);
    },
  },
  {
    says: "who watches a prefix is told of namespaces that come and go",
    async run(stage, { from, to }) {
      const fields = freshNamespace();
      const viewer = await stage.peer(to, { worker: 1 });
      const before = await publisherOf(stage, from, [...fields, "before"]);
      const streams = profileOf(to).namespaceStream;
      const ask = await watch(viewer, fields, "namespaces");
      const comes = async () => {
        if (streams) return shown((await ask.expect("namespace")).suffix);
        const news = await viewer.asked("publishNamespace");
        news.say("requestOk");
        const { namespace } = news.value("publishNamespace");
        return shown(namespace.slice(fields.length));
      };
      assert.equal(await comes(), "before");
      const publisher = await stage.peer(from);
      const news = await publisher.ask("publishNamespace", { namespace: ns(...fields, "alice") });
      await news.expect("requestOk");
      if (streams) {
        assert.equal(await comes(), "alice");
        news.cancel();
        assert.equal(shown((await ask.expect("namespaceDone")).suffix), "alice");
        before.close();
        assert.equal(shown((await ask.expect("namespaceDone")).suffix), "before");
      } else {
        const heard = await viewer.asked("publishNamespace");
        assert.equal(
          shown(heard.value("publishNamespace").namespace),
          [...fields, "alice"].join("|"),
        );
        heard.say("requestOk");
        news.cancel();
        await heard.expect("publishNamespaceDone");
      }
    },
  },
  {
    says: "two viewers make one subscription at the publisher, which ends with the last of them",
    // Without resets these peers can only end their side, and from 19 on that takes nothing back.
    when: ({ to }, { resets }) =>
      resets || profileOf(to).finCancels || !profileOf(to).requestStreams,
    async run(stage, pair) {
      const { publisher, up, down, fields } = await path(stage, pair);
      const second = await stage.peer(pair.to, { worker: 1 });
      const ask = await askFor(second, fields);
      await ask.expect("subscribeOk");
      assert.equal(publisher.waiting, 0);
      down.cancel();
      (await publisher.subgroup({ alias: ALIAS, group: 0 })).object("still").fin();
      await (await second.nextSubgroup()).done();
      assert.deepEqual([up.waiting, up.end], [0, undefined]);
      ask.cancel();
      if (profileOf(pair.from).requestStreams) await up.ended();
      else await up.expect("unsubscribe");
    },
  },
  {
    says: "UNSUBSCRIBE ends a subscription where it has a stream too, as moq-rs sends it",
    when: requestStreams,
    async run(stage, pair) {
      const { up, down } = await path(stage, pair);
      down.raw(Uint8Array.of(0x0a, 0, 0));
      if (profileOf(pair.from).requestStreams) await up.ended();
      else await up.expect("unsubscribe");
      assert.equal(down.peer.closed, undefined);
    },
  },
  {
    says: "a second subscription to a track is refused up to 18, and has an alias of its own later",
    async run(stage, pair) {
      const { viewer, fields, ok, publisher } = await path(stage, pair);
      const again = await askFor(viewer, fields);
      if (!profileOf(pair.to).manySubscriptions) {
        if (pair.to === 14) assert.notEqual((await again.next()).kind, "subscribeOk");
        else await refused(again, codeOf(pair.to, "duplicateSubscription"));
        return;
      }
      const { alias } = await again.expect("subscribeOk");
      assert.notEqual(alias, ok.alias);
      (await publisher.subgroup({ alias: ALIAS, group: 0 })).object("twice").fin();
      const seen = [await viewer.nextSubgroup(), await viewer.nextSubgroup()];
      assert.deepEqual(
        seen.map(({ header }) => header.alias).toSorted(),
        [alias, ok.alias].toSorted(),
      );
    },
  },
  {
    says: "the status of a track tells its largest location",
    async run(stage, pair) {
      const { fields } = await running(stage, pair);
      const asker = await stage.peer(pair.to, { worker: 1 });
      const ask = await asker.ask("trackStatus", { namespace: ns(...fields), track: raw("v") });
      const { parameters } = await ask.expect("requestOk");
      assert.deepEqual(parameters.largest, { group: 2, object: 1 });
    },
  },
  {
    says: "@moq/net is told the largest location behind a length, as it reads and writes it",
    when: ({ to }) => profileOf(to).typedParameters,
    async run(stage, pair) {
      const { fields } = await running(stage, pair);
      const net = {
        profile: withSizedParameters(profileOf(pair.to)),
        setup: { implementation: "moq-lite-js" },
      };
      const viewer = await stage.peer(pair.to, { worker: 1, ...net });
      const { parameters } = await (await askFor(viewer, fields)).expect("subscribeOk");
      assert.deepEqual(parameters.largest, { group: 2, object: 1 });
      const publisher = await stage.peer(pair.to, net);
      const other = freshNamespace();
      const largest = { group: 7, object: 3 };
      const named = { namespace: ns(...other), track: raw("v"), alias: 1 };
      await (await publisher.ask("publish", { ...named, parameters: { largest } }))
        .expect("requestOk");
      await offered(stage, pair.to, other, 1);
      const { parameters: told } = await (await askFor(viewer, other)).expect("subscribeOk");
      assert.deepEqual(told.largest, largest);
    },
  },
  {
    says: "a fetch is answered with what was sent before, subgroup by subgroup",
    async run(stage, pair) {
      const { viewer, fields } = await running(stage, pair);
      const ask = await viewer.ask("fetch", {
        target: { kind: "track", namespace: ns(...fields), track: raw("v") },
        parameters: {
          filter: { kind: "range", start: { group: 0, object: 1 }, end: { group: 1, object: 1 } },
        },
      });
      const { end } = await ask.expect("fetchOk");
      assert.deepEqual(end, { group: 1, object: 1 });
      const answer = await (await viewer.nextFetch()).done();
      assert.equal(`${answer}`, `fetch ${ask.id} [0/0/1=y 1/0/0=x 1/0/1=y] fin`);
    },
  },
  {
    says: "a fetch that joins a subscription brings what is before it",
    when: ({ to }) => profileOf(to).filter === "absolute" || profileOf(to).filter === "delta",
    async run(stage, pair) {
      const { fields } = await running(stage, pair);
      const viewer = await stage.peer(pair.to, { worker: 1 });
      const wishes = { filter: { kind: "next-object" }, forward: true } as const;
      const subscription = await askFor(viewer, fields, wishes);
      await subscription.expect("subscribeOk");
      const ask = await viewer.ask("fetch", {
        target: { kind: "joining", subscription: subscription.id, from: "groups-back", group: 1 },
      });
      await ask.expect("fetchOk");
      const answer = await (await viewer.nextFetch()).done();
      assert.equal(`${answer}`, `fetch ${ask.id} [1/0/0=x 1/0/1=y 2/0/0=a 2/0/1=b] fin`);
    },
  },
];
