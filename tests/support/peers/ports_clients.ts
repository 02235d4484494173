/**
 * For `ports_test.ts`, inside a namespace: publishes by one connection to the public port and watches by many others. Arguments: the
 * certificate's hash, how many viewers, where to connect. Prints what each viewer got and which sessions there were.
 */
import { connect, type ConnectOptions } from "../../../client/mod.ts";

const [hash, count, admin, ...urls] = Deno.args as [string, string, string, ...string[]];
const options: ConnectOptions = { hash };
const publisher = await connect(urls[0]!, options);
const track = publisher.publish("live").track("clock");
const viewers = await Promise.all(
  Array.from({ length: Number(count) }, (_, i) => connect(urls[i % urls.length]!, options)),
);
const ticking = setInterval(() => track.write("tick"), 50);
const got = await Promise.all(viewers.map(async (viewer) => {
  for await (const { path, active } of viewer.announced()) if (path === "live" && active) break;
  for await (const group of viewer.subscribe("live", "clock")) {
    for await (const { payload } of group) return new TextDecoder().decode(payload);
  }
  return undefined;
}));
const { sessions } = await (await fetch(`${admin}/api/v1/sessions`)).json();
// deno-lint-ignore no-console
console.log(JSON.stringify({ got, sessions: sessions.map(({ id }: { id: number }) => id) }));
clearInterval(ticking);
Deno.exit(0);
