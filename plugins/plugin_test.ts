import assert from "node:assert/strict";
import { duration, text } from "../config/fields.ts";
import type { MediaStore } from "../storage/store.ts";
import { plugin, type PluginContext } from "./plugin.ts";

const CTX = { name: "one" } as PluginContext;
const STORE = { type: "none" } as unknown as MediaStore;

Deno.test("plugin() gives run() its options read, by names of the program, and the store", async () => {
  const ran: unknown[] = [];
  const { create } = plugin({
    kind: "ingress",
    name: "own",
    summary: "Ours.",
    options: { retry_after: duration({ min: "1s", max: "1h", byDefault: "2s" }, "Pause.") },
    run(ctx, { retryAfter }, store) {
      const ms: number = retryAfter;
      ran.push([ctx.name, ms, store.type]);
      return Promise.resolve();
    },
  });
  for (const given of [undefined, { retry_after: "3s" }]) {
    const made = create();
    await made.initialize?.(CTX, given);
    await made.run(CTX, STORE);
    await made.stop?.(CTX); // it has none
  }
  assert.deepEqual(ran, [["one", 2000, "none"], ["one", 3000, "none"]]);
});

Deno.test("plugin() refuses options that `check` finds wrong together, before anything begins", () => {
  const begun: string[] = [];
  const { options, create } = plugin({
    kind: "egress",
    name: "own",
    summary: "Ours.",
    options: { from: text("From."), to: text("To.") },
    check: ({ from, to }) => from === to ? [{ path: ["to"], message: "the same as `from`" }] : [],
    initialize: () => void begun.push("initialize"),
    run: () => Promise.resolve(),
    stop: ({ name }) => void begun.push(`stop ${name}`),
  });
  const wrong = { code: "QUMO_PLUGIN_OPTIONS", message: /: to: the same as `from`$/ };
  assert.throws(() => options.read({ from: "a", to: "a" }), wrong);
  const made = create();
  assert.throws(() => made.initialize?.(CTX, { from: "a", to: "a" }), wrong);
  assert.deepEqual(begun, []);
  void made.initialize?.(CTX, { from: "a", to: "b" });
  void made.stop?.(CTX);
  assert.deepEqual(begun, ["initialize", "stop one"]);
});
