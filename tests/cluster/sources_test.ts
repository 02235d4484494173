/** The same content by two publishers, at two relays. */
import { until } from "../support/server.ts";
import { LIMIT_MS } from "./support/node.ts";
import { SourceProcess } from "./support/source_process.ts";
import { chained, startCluster } from "./support/cluster.ts";
import { clients } from "./support/audience.ts";

/** A publisher that is killed says nothing: its relay has to find out. */
const SOON = ["--server.idle_timeout", "1500ms", "--server.keep_alive", "400ms"];

Deno.test("viewers of a publisher that is killed ask again and miss at most the end of its last group: the rest is another publisher's, which came late without all tracks", async () => {
  await using cluster = await startCluster(2, (i, urls) => [...chained(i, urls), ...SOON]);
  const [a, b] = cluster.nodes;
  await a.ready();
  const content = { path: "match", epochMs: Date.now() };
  await using first = new SourceProcess(a.url, { ...content, tracks: ["video", "audio"] });
  const asking = { asksAgain: true };
  await using atA = await clients(first.track("video"), [a], 2, asking);
  await using atB = await clients(first.track("video"), [b], 1, asking);
  await using audioAtB = await clients(first.track("audio"), [b]);

  await using _second = new SourceProcess(b.url, { ...content, tracks: ["video"] });
  await until(async () => await b.publishers("match") === 2, "the second publisher", LIMIT_MS);
  await Promise.all([atA, atB, audioAtB].map((audience) => audience.goesOn(3)));

  await first.kill();
  await until(async () => await a.publishers("match") === 1, "the loss to be seen", LIMIT_MS);
  await Promise.all([atA, atB].map((audience) => audience.goesOn(3, 1)));
});
