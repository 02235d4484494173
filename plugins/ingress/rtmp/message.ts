/** Types of RTMP messages (RTMP 1.0, sections 5.4, 6.2 and 7.1). */
export const MESSAGE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowSize: 5,
  peerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  commandAmf3: 17,
  data: 18,
  command: 20,
} as const;

/** A whole message. */
export interface RtmpMessage {
  readonly type: number;
  /** 0 is the connection itself. */
  readonly streamId: number;
  /** In milliseconds, 32 bits that wrap. */
  readonly timestampMs: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}
