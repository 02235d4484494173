/** Publishes large frames without a pause until it is killed. Arguments: URL, certificate's hash, path. */
import { sleep } from "../../../base/sleep.ts";
import { connect } from "../../../client/mod.ts";

const [url, hash, path] = Deno.args as [string, string, string];
const client = await connect(url, { hash });
const track = client.publish(path).track("big");
const frame = new Uint8Array(256 * 1024).fill(0x71);
for (;;) {
  const group = track.group();
  for (let i = 0; i < 20; i++) {
    group.write(frame);
    await sleep(25);
  }
  group.close();
}
