/** Publishes a counter and reads it back from the server. `client.ts [URL] [FRAMES]` */
import { connect } from "../../client/mod.ts";
import { print, sleep, text, URL_HERE } from "../support.ts";

const [url = URL_HERE, frames = "10"] = Deno.args;
await using client = await connect(url);
using broadcast = client.publish("client.echo");
const track = broadcast.track("index");

const over = new AbortController();
const writing = (async () => {
  for (let n = 0; !over.signal.aborted; n++) {
    track.write(`FRAME ${n}`);
    await sleep(100, over.signal);
  }
})();

for await (const { path } of client.announced("echo")) {
  print(`announced: ${path}`);
  let left = Number(frames);
  for await (const group of client.subscribe(path, "index")) {
    for await (const { payload, timestamp } of group) {
      print(`${text(payload)} came back after ${Date.now() - timestamp} ms`);
    }
    if (--left === 0) break;
  }
  break;
}
over.abort();
await writing;
