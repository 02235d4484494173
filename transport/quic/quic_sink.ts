/**
 * Writes to a QUIC stream without web streams.
 *
 * A write through a `WritableStream` makes some ten promises and costs more than all the relay's own JavaScript for a
 * delivered frame (docs/adr/0008-writes-past-web-streams.md). Deno's runtime writes to the resource of the stream with one
 * call, which can be reached from here. In a version where it cannot, writes go through the stream.
 *
 * @module
 */

/** The sink of a stream. Its promises reject like those of a writer. */
export interface QuicSink {
  /** Fulfils when the transport has taken all of `bytes`. Writes keep their order. */
  write(bytes: Uint8Array): Promise<void>;
  /** Sends FIN. Call it when all writes are done. */
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** The part of Deno's runtime that is used. */
interface Core {
  writeAll(resource: number, bytes: Uint8Array): Promise<void>;
}

/** The fastest sink that this runtime has for a stream. The sink owns the stream from now on. */
export function sinkOf(stream: WritableStream<Uint8Array<ArrayBufferLike>>): QuicSink {
  const resource = CORE && resourceOf(stream);
  if (CORE === undefined || resource === undefined) return stream.getWriter();
  return new ResourceSink(CORE, resource, stream);
}

class ResourceSink implements QuicSink {
  readonly #core: Core;
  readonly #resource: number;
  readonly #stream: WritableStream;

  constructor(core: Core, resource: number, stream: WritableStream) {
    this.#core = core;
    this.#resource = resource;
    this.#stream = stream;
  }
  write(bytes: Uint8Array): Promise<void> {
    return this.#core.writeAll(this.#resource, bytes);
  }
  close(): Promise<void> {
    return this.#stream.close();
  }
  abort(): Promise<void> {
    return this.#stream.abort();
  }
}

/** The resource id of a stream, from the internals of Deno. */
function resourceOf(stream: WritableStream): number | undefined {
  const symbols = Object.getOwnPropertySymbols(stream);
  const symbol = symbols.find(({ description }) => description === "[[resourceBacking]]");
  if (symbol === undefined) return undefined;
  const backing: unknown = Reflect.get(stream, symbol);
  const resource: unknown = Object(backing).rid;
  return typeof resource === "number" ? resource : undefined;
}

function coreOf(): Core | undefined {
  const internal: unknown = Reflect.get(globalThis.Deno ?? {}, "internal");
  if (typeof internal !== "symbol") return undefined;
  const core: unknown = Object(Reflect.get(Deno, internal)).core;
  return typeof Object(core).writeAll === "function" ? core as Core : undefined;
}

const CORE = coreOf();
