/**
 * Writes to a QUIC stream without the machinery of web streams in between.
 *
 * A write through a `WritableStream` makes some ten promises, which is half of all the JavaScript a delivered frame costs
 * (docs/adr/0008-writes-past-web-streams.md). Deno's own runtime writes to the resource behind the stream by one call, which
 * it leaves reachable; where a later version does not, everything goes through the stream as usual.
 *
 * @module
 */

/** As much of Deno's runtime as is used here. */
interface Core {
  /** Takes all of `bytes`; fulfils when the transport has them. Writes to one resource keep their order. */
  writeAll(rid: number, bytes: Uint8Array): Promise<void>;
}

const BACKING = "[[resourceBacking]]";

/** Takes all of `bytes`, in the order of the calls. */
export type RawWrite = (bytes: Uint8Array) => Promise<void>;

/** How to write to the resource behind a stream, or `undefined` where this runtime does not tell. */
export function rawWrite(stream: WritableStream): RawWrite | undefined {
  const { core } = CORE;
  if (core === undefined) return undefined;
  const symbol = Object.getOwnPropertySymbols(stream).find((s) => s.description === BACKING);
  const backing = symbol && (stream as unknown as Record<symbol, { rid?: unknown } | undefined>)[symbol];
  const rid = backing?.rid;
  return typeof rid === "number" ? (bytes) => core.writeAll(rid, bytes) : undefined;
}

const CORE: { readonly core: Core | undefined } = { core: coreOf() };

function coreOf(): Core | undefined {
  const deno = globalThis.Deno as unknown as Record<symbol, { core?: Partial<Core> } | undefined> & {
    readonly internal?: symbol;
  } | undefined;
  const core = deno?.internal && deno[deno.internal]?.core;
  return typeof core === "object" && typeof core.writeAll === "function" ? core as Core : undefined;
}
