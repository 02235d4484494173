import type { ReceiveStream } from "../../../transport/connection.ts";
import type { StreamReader } from "../../stream_reader.ts";
import type { IetfContext } from "../context.ts";
import type { Exchanges } from "../exchange.ts";
import type { Aliases } from "./aliases.ts";

/** What all requests to one peer share. */
export interface Requesting {
  readonly context: IetfContext;
  readonly exchanges: Exchanges;
  readonly aliases: Aliases;
  /**
   * Whether the peer is a server that we have dialed and follow: it may have kept groups that are over. Its tracks are paused
   * while nobody reads them.
   */
  isServer: boolean;
  /** Fetches that run, by the numbers of their requests, which their streams name. */
  readonly fetches: Map<number, RunningFetch>;
}

export interface RunningFetch {
  /** The stream with the objects. @throws {ProtocolViolation} */
  stream(stream: ReceiveStream, reader: StreamReader): Promise<void>;
  /** The session is gone. */
  lost(): void;
}
