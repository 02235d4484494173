/** A relay: everybody may publish, and everybody sees what the others publish. `server.ts [PORT]` */
import { serve } from "../../client/mod.ts";
import { certificate, chosenPort, opened, print, sleep } from "../support.ts";

const over = new AbortController();
Deno.addSignalListener("SIGINT", () => over.abort());

const pair = await certificate();
const relay = await serve({
  ...pair,
  port: chosenPort(),
  relay: true,
  groupCacheSize: 32, // for those who join late, or fall behind for a moment
});
opened(relay, pair);

void (async () => {
  for await (const { path, active } of relay.announced()) {
    print(`${path} is ${active ? "here" : "gone"}`);
  }
})();

while (!over.signal.aborted) {
  await sleep(5000, over.signal);
  const { groupsIn, groupsOut, bytesIn, bytesOut } = relay.stats;
  print(
    `${relay.sessions} sessions; groups ${groupsIn} in, ${groupsOut} out; ` +
      `bytes ${bytesIn} in, ${bytesOut} out`,
  );
}

// All clients are asked to leave, and the groups that have begun reach their end.
await relay.close({ graceMs: 1000 });
Deno.exit();
