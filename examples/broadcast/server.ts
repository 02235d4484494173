/** Publishes a counter: one frame every 100 ms, ten to a group. `server.ts [PORT]` */
import { serve } from "../../client/mod.ts";
import { certificate, chosenPort, opened, print, sleep } from "../support.ts";

const pair = await certificate();
const server = await serve({ ...pair, port: chosenPort() });
const track = server.publish("server.broadcast").track("index");
opened(server, pair);

for (let n = 0;;) {
  using group = track.group();
  for (const last = n + 10; n < last; n++) {
    group.write(`FRAME ${n}`);
    if (n % 50 === 0) print(`${track.subscribers} subscribers at frame ${n}`);
    await sleep(100);
  }
}
