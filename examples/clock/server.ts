/** Tells the time: a frame each second, a group each minute. `server.ts [PORT]` */
import { serve } from "../../client/mod.ts";
import { certificate, chosenPort, opened, sleep } from "../support.ts";

const pair = await certificate();
const server = await serve({ ...pair, port: chosenPort() });
const track = server.publish("clock").track("seconds");
opened(server, pair);

for (;;) {
  // The group number is the minute since 1970, so a restarted clock continues with the right one.
  const minute = Math.floor(Date.now() / 60_000);
  using group = track.group(minute);
  for (let now = Date.now(); Math.floor(now / 60_000) === minute; now = Date.now()) {
    group.write(new Date(now).toISOString().slice(11, 19), now);
    await sleep(1000 - Date.now() % 1000);
  }
}
