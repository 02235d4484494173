import assert from "node:assert/strict";
import { IetfPeer, ns } from "../support/ietf_peer.ts";
import { launch } from "../support/server.ts";
import { dial } from "../../transport/dial.ts";
import { RequestRefused } from "../../transport/errors.ts";
import { PROFILES } from "../../wire/ietf/profile.ts";
import { alpnsOf, VERSIONS } from "../../wire/versions.ts";

const track = new TextEncoder().encode("v");

for (const scheme of ["moqt", "https", "wss"]) {
  Deno.test(`every draft comes in by ${scheme}: and carries a track`, async () => {
    await using at = await launch();
    for (const profile of PROFILES) {
      const { draft, name, setupVersion, alpn } = profile;
      const named = setupVersion === undefined || scheme !== "https";
      const options = scheme === "wss"
        ? { caCerts: [at.certificate.cert] }
        : { hash: at.certificate.sha256 };
      const peer = async () => {
        const url = `${scheme}://localhost:${at.port}/live`;
        const connection = await dial(url, { protocols: named ? [alpn] : [], ...options });
        assert.equal(connection.protocol, named ? alpn : "");
        const setup = scheme === "moqt" ? { path: "/live" } : {};
        return await IetfPeer.client(connection, draft, { setup });
      };
      const publisher = await peer();
      await publisher.setup();
      const news = await publisher.ask("publishNamespace", { namespace: ns("room") });
      await news.expect("requestOk");
      const viewer = await peer();
      await viewer.setup();
      const filter = { kind: "next-object" } as const;
      const asked = { namespace: ns("room"), track, parameters: { filter } };
      const wish = await viewer.ask("subscribe", asked);
      const upstream = await publisher.asked("subscribe");
      upstream.say("subscribeOk", { alias: 7 });
      await wish.expect("subscribeOk");
      const sending = await publisher.subgroup({ alias: 7, group: 3 });
      sending.objects("abcd", { id: 5, payload: "ef" }).fin();
      const seen = await (await viewer.nextSubgroup()).done();
      assert.match(`${seen}`, /\/3\/0 p128 \[0=abcd 5=ef\] fin$/, name);
      const { sessions } = await at.api<{ sessions: { version: string; root: string }[] }>(
        "/api/v1/sessions",
      );
      assert.deepEqual(new Set(sessions.map((one) => `${one.version} ${one.root}`)), new Set([`${name} live`]));
      publisher.connection.close();
      viewer.connection.close();
      await Promise.all([publisher.connection.closed, viewer.connection.closed]);
    }
  });
}
