import assert from "node:assert/strict";
import { optionProblems } from "../errors.ts";
import type { PluginDefinition } from "../plugin.ts";
import { listenAddress } from "./listen_address.ts";
import { rtmp } from "./rtmp/mod.ts";
import { srt } from "./srt/mod.ts";

interface Read {
  readonly listen: { readonly hostname: string; readonly port: number } | undefined;
  readonly anonymous: boolean;
}

const read = (plugin: PluginDefinition, options: Record<string, unknown>) =>
  plugin.options.read({ broadcast: "x", ...options }) as Read;

function problemsOf(plugin: PluginDefinition, options: Record<string, unknown>): string[] {
  try {
    read(plugin, options);
    return [];
  } catch (error) {
    return (optionProblems(error) ?? []).map(({ path, message }) => `${path}: ${message}`);
  }
}

for (
  const [plugin, port, key] of [[rtmp, 1935, "key"], [srt, 8890, "passphrase"]] as const
) {
  const secret = { [key]: "long-enough-secret" };

  Deno.test(`${plugin.name} listens on loopback unless ${key} is set`, () => {
    const bare = listenAddress(read(plugin, {}), port, undefined);
    assert.deepEqual(bare, { hostname: "127.0.0.1", port });
    const keyed = listenAddress(read(plugin, secret), port, secret[key]);
    assert.deepEqual(keyed, { hostname: "0.0.0.0", port });
    const named = listenAddress(read(plugin, { listen: "[::1]:7" }), port, undefined);
    assert.deepEqual(named, { hostname: "::1", port: 7 });
  });

  Deno.test(`${plugin.name} refuses an address that others reach without ${key}, unless told otherwise`, () => {
    for (const listen of ["0.0.0.0:7", ":7", "[::]:7", "192.0.2.1:7", "127.example.org:7"]) {
      const [problem, ...more] = problemsOf(plugin, { listen });
      assert.match(
        problem ?? listen,
        /^listen: .* can be reached by others.*: set (key|passphrase)/,
      );
      assert.deepEqual(more, []);
      assert.deepEqual(problemsOf(plugin, { listen, ...secret }), []);
      assert.deepEqual(problemsOf(plugin, { listen, anonymous: true }), []);
    }
    assert.deepEqual(problemsOf(plugin, { listen: "127.0.0.1:7" }), []);
    const empty = problemsOf(plugin, { listen: "0.0.0.0:7", [key]: "" });
    assert.equal(empty.length, 1, "an empty one keeps nobody out");
  });
}

Deno.test("srt says that its passphrase is too short before anything starts", () => {
  assert.match(problemsOf(srt, { passphrase: "short" })[0]!, /^passphrase: expected 10 to 79/);
});
