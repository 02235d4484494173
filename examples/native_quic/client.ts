/** Dials over raw QUIC, and accepts only the pinned certificate. `client.ts [URL]` */
import { connect } from "../../client/mod.ts";
import { print, text, URL_HERE } from "../support.ts";

const { host } = new URL(Deno.args[0] ?? URL_HERE);
const hash = await (await fetch(`http://${host}/certificate.sha256`)).text();

await using client = await connect(`moqt://${host}/`, { hash });
print(`connected to moqt://${host}/ with ${client.version}`);

const group = await client.subscribe("greeting/quic", "text").group();
for await (const { payload } of group!) print(text(payload));
