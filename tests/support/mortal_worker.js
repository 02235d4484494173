/**
 * The program, but its worker threads die when a test names one in QUMO_TEST_KILL_WORKER.
 */
import { run } from "../../cli/main.ts";

const { name } = globalThis;
setInterval(() => {
  if (name !== undefined && Deno.env.get("QUMO_TEST_KILL_WORKER") === name) {
    throw new Error("killed for a test");
  }
}, 20);
await run(Deno.args);
