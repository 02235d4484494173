/**
 * The program, with failures in each of its threads that reach nobody, once the file QUMO_TEST_STRAY_FILE is there: one lets a
 * promise go, one throws in a timer.
 */
import { run } from "../../../cli/main.ts";

const file = Deno.env.get("QUMO_TEST_STRAY_FILE");

const looking = setInterval(() => {
  try {
    Deno.statSync(file);
  } catch {
    return;
  }
  clearInterval(looking);
  Promise.reject(new Error("a stray promise"));
  setTimeout(() => {
    throw new Error("a stray timer");
  }, 0);
}, 20);
await run(Deno.args);
