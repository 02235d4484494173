/** A publisher and two viewers, each with its own session at the relay. `client.ts [URL]` */
import { connect } from "../../client/mod.ts";
import { print, sleep, text, URL_HERE } from "../support.ts";

const url = Deno.args[0] ?? URL_HERE;

/** Groups that are not older than this come also to the viewer who is late. */
const viewing = { ordered: true, maxLatencyMs: 10_000 };

async function watch(name: string): Promise<void> {
  await using viewer = await connect(url);
  for await (const { path } of viewer.announced("live")) {
    for await (const group of viewer.subscribe(path, "numbers", viewing)) {
      for await (const { payload } of group) print(`${name} sees ${path}: ${text(payload)}`);
    }
    return; // the publisher has ended the track
  }
}

await using publisher = await connect(url);
using broadcast = publisher.publish("live/counter");
using track = broadcast.track("numbers");
const watching = ["one", "two"].map(watch);
while (track.subscribers === 0) await sleep(50);
for (let n = 1; n <= 5; n++) {
  track.write(String(n));
  await sleep(200);
}
track.close();
await Promise.all(watching);
