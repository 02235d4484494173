import type { BidiStream, SendStream } from "../../../transport/connection.ts";
import type { Goaway } from "../../../wire/ietf/message/goaway.ts";
import type { StreamReader } from "../../stream_reader.ts";
import type { Exchange, Exchanges } from "../exchange.ts";

/** What a channel tells its session. */
export interface ChannelEvents {
  /** A request of the peer. The exchange is over when this fulfils. */
  serve(exchange: Exchange): Promise<void>;
  /** @throws {ProtocolViolation} It may not be said. */
  goaway(goaway: Goaway): void;
}

/** Carries the requests of both sides, on whatever streams the draft has for them. */
export interface Channel extends Exchanges {
  /** Our control stream. */
  readonly sending: SendStream;
  /** Reads the peer's control stream until the session ends. */
  run(events: ChannelEvents): Promise<void>;
  /** A bidirectional stream that the peer has opened. @throws {ProtocolViolation} */
  bidi(stream: BidiStream, reader: StreamReader): Promise<void>;
  /** Asks the peer to leave. */
  goaway(uri: string): void;
  /** The connection is over. */
  close(): void;
}
