import assert from "node:assert/strict";
import { ns } from "../../../tests/support/ietf_peer.ts";
import { profileOf } from "../../../wire/ietf/profile.ts";
import { peerAt, testRelay, tick } from "../../peers_test.ts";

const TRACK = new TextEncoder().encode("video");

for (const draft of [14, 16, 18, 22] as const) {
  for (const how of ["finish", "reset"] as const) {
    Deno.test(`draft ${draft}: a peer that ends its control stream (${how}) is heard out as it leaves, and cut off if it stays`, async () => {
      const at = testRelay();
      const publisher = await peerAt(at, draft);
      const viewer = await peerAt(at, draft);
      const offer = await publisher.ask("publish", { namespace: ns("a"), track: TRACK, alias: 7 });
      await offer.expect("requestOk");
      const parameters = { filter: { kind: "next-object" } } as const;
      const asked = await viewer.ask("subscribe", { namespace: ns("a"), track: TRACK, parameters });
      await asked.expect("subscribeOk");
      offer.say("publishDone", { code: 2, streams: 0 }).finish();
      publisher.control[how](0);
      await tick();
      publisher.close();
      const { code } = await asked.expect("publishDone");
      if (how === "finish" || profileOf(draft).requestStreams) assert.equal(code, 2);

      viewer.control[how](0);
      await tick();
      assert.equal(viewer.closed, undefined);
      at.clock.advance(1000);
      assert.equal(await viewer.end(), 3);
      await at.relay.close();
    });
  }
}
