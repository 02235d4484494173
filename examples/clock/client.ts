/** Shows the time, beginning with the minute that is under way. `client.ts [URL] [SECONDS]` */
import { connect } from "../../client/mod.ts";
import { print, text, URL_HERE } from "../support.ts";

const [url = URL_HERE, seconds = "3"] = Deno.args;
await using client = await connect(url);
const startedMs = Date.now();

let left = Number(seconds);
reading: for await (const group of client.subscribe("clock", "seconds", { ordered: true })) {
  for await (const { payload, timestamp } of group) {
    const before = timestamp < startedMs;
    print(`minute ${group.sequence}: ${text(payload)}${before ? " (before we came)" : ""}`);
    if (!before && --left === 0) break reading;
  }
}
