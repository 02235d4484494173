/** A guest: each typed line goes to all others. `client.ts [URL] [NAME]` */
import { type Client, connect, QumoError } from "../../client/mod.ts";
import { print, text, URL_HERE } from "../support.ts";

const [url = URL_HERE, name = `guest-${Deno.pid}`] = Deno.args;
await using client = await connect(url);
using me = client.publish(`chat/${name}`);
const said = me.track("lines");
void listen(client);
print(`you are ${name}; say something, end with Ctrl-D`);

let rest = "";
for await (const part of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + part).split("\n");
  rest = lines.pop()!;
  for (const line of lines) said.write(line);
}
said.close();
await client.end(); // the last line shall arrive

/** Follows every guest until the guest leaves. */
async function listen(client: Client): Promise<void> {
  for await (const { path, active } of client.announced("chat")) {
    const who = path.slice("chat/".length);
    if (who === name) continue;
    print(active ? `* ${who} is here` : `* ${who} has left`);
    if (active) void hear(client, path, who);
  }
}

async function hear(client: Client, path: string, who: string): Promise<void> {
  try {
    for await (const group of client.subscribe(path, "lines", { ordered: true })) {
      for await (const { payload } of group) print(`${who}: ${text(payload)}`);
    }
  } catch (error) {
    // A guest whose connection broke is reported as gone; nothing else is to do.
    if (!(error instanceof QumoError)) throw error;
  }
}
