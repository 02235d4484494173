/** What the relay does with sessions: what a broken message costs, how many requests there may be, who is asked to go. */
import assert from "node:assert/strict";
import { requestCode, sessionCode } from "../../wire/ietf/codes.ts";
import { profileOf } from "../../wire/ietf/profile.ts";
import { raw } from "../support/ietf_peer.ts";
import {
  ALIAS,
  askFor,
  freshNamespace,
  heardOf,
  path,
  publisherOf,
  refused,
  withoutAlias,
} from "../support/peers/ietf_stage.ts";
import type { Claim, Pair } from "./claims.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));
const numbered = ({ to }: Pair) => profileOf(to).maxRequestId;

export const SESSIONS: readonly Claim[] = [
  {
    says: "a message that nobody knows ends its session, and no other",
    async run(stage, pair) {
      const at = await path(stage, pair);
      const bad = await stage.peer(pair.to, { worker: 1 });
      bad.control.write(hex("3e 0001 00"));
      assert.equal(await bad.end(), sessionCode(profileOf(pair.to), "protocolViolation"));
      (await at.publisher.subgroup({ alias: ALIAS, group: 1 })).object("on").fin();
      assert.equal(
        withoutAlias(await (await at.viewer.nextSubgroup()).done()),
        "1/0 p128 [0=on] fin",
      );
    },
  },
  {
    says: "a data stream with a broken object ends alone",
    async run(stage, pair) {
      const at = await path(stage, pair);
      const bad = await at.publisher.subgroup({ alias: ALIAS, group: 1 });
      bad.object("good");
      const seen = await (await at.viewer.nextSubgroup()).until(1);
      bad.raw(hex("00 00 33")); // an object with a status that does not exist
      await seen.done();
      assert.deepEqual(seen.words, ["0=good"]);
      assert.equal(seen.rest, 0);
      (await at.publisher.subgroup({ alias: ALIAS, group: 2 })).object("on").fin();
      assert.equal(
        withoutAlias(await (await at.viewer.nextSubgroup()).done()),
        "2/0 p128 [0=on] fin",
      );
    },
  },
  {
    says: "a client may go on with requests: MAX_REQUEST_ID is raised",
    when: numbered,
    async run(stage, { to }) {
      const fields = freshNamespace();
      const peer = await stage.peer(to);
      const code = requestCode(profileOf(to), "subscribe", "doesNotExist");
      let last = 0;
      const allowed = () => last;
      const raised = (async () => {
        for (;;) {
          const { requestId } = await peer.expect("maxRequestId");
          assert.ok(requestId > last);
          last = requestId;
          if (last > 2048) return;
        }
      })();
      for (let i = 0; i < 600; i++) {
        await refused(await askFor(peer, fields), code);
      }
      await raised;
      assert.ok(allowed() > 2048);
      peer.close();
    },
  },
  {
    says: "the relay sends no request above a client's MAX_REQUEST_ID until that is raised",
    when: ({ from }) => profileOf(from).maxRequestId,
    async run(stage, { from, to }) {
      const fields = freshNamespace();
      const publisher = await publisherOf(stage, from, fields, { setup: { maxRequestId: 2 } });
      const viewer = await stage.peer(to, { worker: 1 });
      await heardOf(viewer, fields);
      const first = await askFor(viewer, fields);
      (await publisher.asked("subscribe")).say("subscribeOk", { alias: ALIAS });
      await first.expect("subscribeOk");
      const second = await askFor(viewer, fields, {}, "w");
      (await publisher.subgroup({ alias: ALIAS, group: 1 })).object("meanwhile").fin();
      await (await viewer.nextSubgroup()).done();
      assert.equal(publisher.waiting, 0);
      publisher.say("maxRequestId", { requestId: 100 });
      const asked = await publisher.asked("subscribe");
      assert.deepEqual(asked.value("subscribe").track, raw("w"));
      asked.say("subscribeOk", { alias: 9 });
      await second.expect("subscribeOk");
    },
  },
  {
    says: "a publisher that has sent GOAWAY is asked for nothing more, and keeps what runs",
    async run(stage, pair) {
      const { publisher, viewer, fields } = await path(stage, pair);
      publisher.say("goaway", { uri: "" });
      (await publisher.subgroup({ alias: ALIAS, group: 1 })).object("on").fin();
      await (await viewer.nextSubgroup()).done();
      const other = await publisherOf(stage, pair.from, fields);
      const second = await askFor(viewer, fields, {}, "w");
      (await other.asked("subscribe")).say("subscribeOk", { alias: ALIAS });
      await second.expect("subscribeOk");
      assert.equal(publisher.waiting, 0);
      assert.equal(publisher.closed, undefined);
    },
  },
];
