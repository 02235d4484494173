import assert from "node:assert/strict";
import { readModules } from "../tools/module_graph.ts";

Deno.test("no code of the page declares with `using`, which the minifier may drop", async () => {
  // `using a = make(); a.run();` comes out of `deno bundle --minify` (2.9.6) as `make().run()`: nothing is disposed of.
  const byPath = new Map((await readModules()).map((module) => [module.path, module]));
  const reached = new Set<string>();
  const queue = ["web/page.tsx"];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const module = byPath.get(path);
    // Deno's own sockets are no part of the bundle.
    if (module === undefined || reached.has(path) || path === "transport/dial.ts") continue;
    reached.add(path);
    queue.push(...module.files);
  }
  assert.ok(reached.has("client/publish.ts"));
  const found = [...reached].filter((path) =>
    /^\s*(await )?using \w+\s*=/m.test(byPath.get(path)!.source)
  );
  assert.deepEqual(found, []);
});
