/** Removes what the tasks make. Git ignores all of it, and the tasks make it again when needed. */
import { ROOT } from "./module_graph.ts";
import { say } from "./say.ts";

const MADE = ["dist", "coverage", "bench/profile"];

for (const folder of MADE) {
  try {
    await Deno.remove(ROOT + folder, { recursive: true });
    say(`removed ${folder}/`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
