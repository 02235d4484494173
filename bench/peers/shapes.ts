/** One load. Every subject is put under it. */
export interface Shape {
  readonly name: string;
  readonly viewers: number;
  readonly fps: number;
  readonly frameSize: number;
  readonly groupSize: number;
  readonly transport: "quic" | "webtransport";
  /** Sessions that subscribe to nothing. */
  readonly idle?: boolean;
}

const video = { fps: 30, frameSize: 4000, groupSize: 30, transport: "quic" } as const;

/** The shapes that the goals name. */
export const SHAPES: readonly Shape[] = [
  { name: "1 × 30/s × 4,000 B", viewers: 1, ...video },
  { name: "200 × 30/s × 4,000 B", viewers: 200, ...video },
  {
    name: "200 × 30/s × 4,000 B, WebTransport",
    viewers: 200,
    ...video,
    transport: "webtransport",
  },
  {
    name: "200 × 50 one-frame groups/s × 200 B",
    ...{ viewers: 200, fps: 50, frameSize: 200, groupSize: 1, transport: "quic" },
  },
  { name: "50 × 30/s × 1,200 B", viewers: 50, ...video, frameSize: 1200 },
  { name: "500 × 30/s × 1,200 B", viewers: 500, ...video, frameSize: 1200 },
  {
    name: "1,000 × 20/s × 1,200 B",
    ...{ viewers: 1000, fps: 20, frameSize: 1200, groupSize: 20, transport: "quic" },
  },
  { name: "1,000 × 30/s × 1,200 B", viewers: 1000, ...video, frameSize: 1200 },
  {
    name: "500 idle sessions",
    ...{ viewers: 500, fps: 0, frameSize: 9, groupSize: 1, transport: "quic", idle: true },
  },
];
