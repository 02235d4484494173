/**
 * Loaded before every test file: property tests draw the same cases in each run, so a failure comes from the current change.
 * `QUMO_TEST_SEED=random` draws new ones (and prints the seed of a failure), any number draws those of that seed.
 *
 * @module
 */
import fc from "fast-check";

const asked = Deno.env.get("QUMO_TEST_SEED");
if (asked !== "random") {
  fc.configureGlobal({ seed: asked === undefined ? 20_261_120 : Number(asked) });
}
