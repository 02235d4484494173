/**
 * The example at the top of client/mod.ts and in the README, which is the one a newcomer copies: type-checked and run against a relay.
 */
import assert from "node:assert/strict";
import { ROOT } from "../tools/module_graph.ts";
import { launch, until } from "./support/server.ts";
import { toFileUrl } from "../tools/file_url.ts";

/** The first example of a module's comment. */
function exampleOf(source: string): string {
  const [, lines] = /^ \* ```ts\n([\s\S]*?)^ \* ```$/m.exec(source)!;
  return lines!.replace(/^ \* ?/gm, "");
}

Deno.test("the example of the client library type-checks, publishes and reads", async () => {
  const module = new URL("client/mod.ts", toFileUrl(ROOT));
  const example = exampleOf(await Deno.readTextFile(module));
  assert.match(example, /from ".\/client\/mod.ts"/);
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  assert.ok(readme.includes("```ts\n" + example + "```"), "the README shows the same example");
  assert.match(example, /"http:\/\/127\.0\.0\.1:4433\/"/);
  await using relay = await launch();
  const folder = await Deno.makeTempDir({ prefix: "qumo-example-" });
  try {
    await Deno.writeTextFile(
      `${folder}/example.ts`,
      example.replace("./client/mod.ts", module.href).replace(":4433/", `:${relay.port}/`),
    );
    await using peer = await relay.client();
    using bob = peer.publish("chat/bob");
    const lines = bob.track("lines");
    await using running = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--check", "--config", `${ROOT}deno.json`, `${folder}/example.ts`],
      ...{ stdin: "null", stdout: "piped", stderr: "piped", env: { NO_COLOR: "1" } },
    }).spawn();
    const said = running.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const complaints = new Response(running.stderr).text();
    await until(() => lines.subscribers === 1, "the example's subscription", 60_000);
    using alice = peer.subscribe("chat/alice", "lines");
    using group = (await alice.group())!;
    assert.equal(new TextDecoder().decode((await group.frame())!.payload), "hello");
    lines.write("hi, alice");
    assert.equal((await said.read()).value, "bob: hi, alice\n");
    lines.write("bye");
    assert.equal((await said.read()).done, true);
    assert.equal((await running.status).code, 0, await complaints);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
