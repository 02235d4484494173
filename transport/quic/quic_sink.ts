/**
 * Writes to a QUIC stream without the machinery of web streams in between.
 *
 * A write through a `WritableStream` makes some ten promises and costs more than all the relay's own JavaScript for a
 * delivered frame (docs/adr/0008-writes-past-web-streams.md). Deno's runtime writes to the resource behind the stream by one
 * call, which it leaves within reach; where a version does not, everything goes through the stream as usual.
 *
 * @module
 */

/** The end of a stream that bytes are put into. Promises reject as those of a writer do. */
export interface QuicSink {
  /** Fulfils when the transport has taken all of `bytes`. Writes keep their order. */
  write(bytes: Uint8Array): Promise<void>;
  /** Sends FIN. To be called once no write is on its way. */
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** As much of Deno's runtime as is used. */
interface Core {
  writeAll(resource: number, bytes: Uint8Array): Promise<void>;
}

/** The shortest way into a stream that this runtime has. The stream belongs to the sink from here on. */
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

/** The number of the resource a stream writes to, in the words of Deno's implementation. */
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
