/** Lists what is announced and reads the counter. `client.ts [URL] [FRAMES]` */
import { connect } from "../../client/mod.ts";
import { print, text, URL_HERE } from "../support.ts";

const [url = URL_HERE, frames = "20"] = Deno.args;
await using client = await connect(url);
print(`connected with ${client.version}`);

const announced = await client.announced().next();
print(`announced: ${announced!.path}`);

let left = Number(frames);
reading: for await (const group of client.subscribe(announced!.path, "index", { ordered: true })) {
  for await (const { payload } of group) {
    print(`group ${group.sequence}: ${text(payload)}`);
    if (--left === 0) break reading;
  }
}
