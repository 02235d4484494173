/**
 * The `qumo-relay` program: a Media over QUIC relay. See README.md, or run `qumo-relay help`.
 *
 * @module
 */
import { run } from "./cli/main.ts";

if (import.meta.main) Deno.exit(await run(Deno.args));
