/** A node of several threads drains: its viewers go to the other nodes, whichever thread they are at. */
import assert from "node:assert/strict";
import { type Client, connect } from "../../client/mod.ts";
import { launch, type Launched, until } from "../support/server.ts";

const VIEWERS = 10;

async function viewersAt(relay: Launched, port: number, moved: string[]): Promise<Client[]> {
  const viewers = Array.from({ length: VIEWERS }, async () => {
    const client = await connect(`moqt://127.0.0.1:${port}/rooms`, {
      hash: relay.certificate.sha256,
      ongoaway: (uri) => moved.push(uri),
    });
    client.announced();
    return client;
  });
  return await Promise.all(viewers);
}

Deno.test("every thread of a node that drains shares out its viewers over the nodes with room", async () => {
  await using b = await launch();
  await using c = await launch();
  const urls = [b, c].map(({ port }) => `http://127.0.0.1:${port}/`);
  const a = await launch({
    flags: { "server.workers": "2", "cluster.nodes": urls.join(","), "auth.anonymous": "true" },
  });
  await until(
    () => a.server.view.cluster.links.filter(({ state }) => state === "connected").length === 2,
    "both links",
  );
  const moved: string[] = [];
  const clients = [
    ...await viewersAt(a, a.port, moved),
    ...await viewersAt(a, a.port + 1, moved),
  ];
  await until(() => a.server.sessionCount === clients.length + 2, "all of them, and the links");
  const closing = a.server.close();
  await until(() => moved.length === clients.length, "everybody to be asked");
  const count = ({ port }: Launched) =>
    moved.filter((uri) => uri === `moqt://127.0.0.1:${port}/rooms`).length;
  assert.deepEqual([count(b), count(c)], [VIEWERS, VIEWERS]);
  await Promise.all(clients.map((client) => client.close()));
  await closing;
  await a[Symbol.asyncDispose]();
});
