/**
 * A {@link Source} as a process of its own, which a test can kill: URL PATH EPOCH_MS TRACK…
 *
 * @module
 */
import { Source } from "./source.ts";

const [url, path, epochMs, ...tracks] = Deno.args;
const source = await Source.start(url!, { path: path!, epochMs: Number(epochMs), tracks });
await source.client.closed;
