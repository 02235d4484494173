/**
 * The program, but its worker threads die when a test names one: in QUMO_TEST_KILL_WORKER, or for a program of its own as
 * a file of that name in the folder QUMO_TEST_KILL_DIR, which the thread takes with it.
 */
import { run } from "../../../cli/main.ts";

const { name } = globalThis;
const dir = Deno.env.get("QUMO_TEST_KILL_DIR");

function named() {
  if (Deno.env.get("QUMO_TEST_KILL_WORKER") === name) return true;
  if (dir === undefined) return false;
  try {
    Deno.removeSync(`${dir}/${name}`);
    return true;
  } catch { // Nobody wants it to die.
    return false;
  }
}

// Nobody after it hears of an error: it ends the thread, which would bear it otherwise.
addEventListener("error", (event) => event.stopImmediatePropagation());
setInterval(() => {
  if (name !== undefined && name !== "" && named()) throw new Error("killed for a test");
}, 20);
await run(Deno.args);
