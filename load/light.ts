/**
 * What viewers that keep nothing read, whatever protocol they speak.
 *
 * @module
 */
/** How many bytes of each frame's payload are kept until the next one begins. */
export const FRAME_PREFIX_BYTES = 16;

/** Called when a frame has arrived whole. */
export type OnFrame = (scan: StreamScan) => void;

/** Reads the frames of one stream without keeping them. Nothing is allocated per frame. */
export interface StreamScan {
  /** The subscription it belongs to; -1 until that is known, and always on a stream that is not a group. */
  readonly subscribe: number;
  /** Number of the group. */
  readonly sequence: number;
  /** Frames that have arrived whole. */
  readonly frames: number;
  /** Payload size of the current frame, or of the last one. */
  readonly frameBytes: number;
  /** How the current frame, or the last one, begins: {@link FRAME_PREFIX_BYTES} of it, or all where it is shorter. */
  readonly prefix: DataView;
  /** Whether the bytes so far end with a frame. A stream that ends elsewhere was cut off. */
  readonly atBoundary: boolean;
  /** Takes the next bytes. @throws {ProtocolViolation} */
  push(chunk: Uint8Array): void;
  /** Fulfils once it is known whose stream it is, for those where that may come later than the stream. */
  known?(): Promise<void>;
}

/** A subscription of a light session. */
export interface LightSubscription {
  /** Fulfils (never rejects) when the relay has ended or refused it, or the session is over. */
  readonly ended: Promise<void>;
  /** Ends the subscription. */
  cancel(): void;
}

/** A stream of the relay. Not every one is a group. */
export interface LightStream {
  read(): Promise<Uint8Array | undefined>;
  stop(code: number): void;
}

/** One viewer. The owner closes it. */
export interface LightSession {
  /** Fulfils when the session is over, whichever end closed it. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  /**
   * Subscribes to a track. Its groups come by {@link acceptGroup}.
   * @param maxLatencyMs How late a group may come and still be sent. Default: 0, the newest goes first. moq-lite only.
   * @throws {ConnectionClosed}
   */
  subscribe(
    id: number,
    broadcast: string,
    track: string,
    maxLatencyMs?: number,
  ): Promise<LightSubscription>;
  /** The next stream of the relay, or `undefined` when the session is over. */
  acceptGroup(): Promise<LightStream | undefined>;
  /** Reads a stream's frames. */
  scan(stream: LightStream, onFrame: OnFrame): StreamScan;
  /** Idempotent. */
  close(): void;
}
