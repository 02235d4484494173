/** Counters of media. The caller owns them and reads them. */
export interface MediaCounters {
  framesIn: number;
  bytesIn: number;
  framesOut: number;
  bytesOut: number;
  /** Damaged pieces of media that were left out. */
  skipped: number;
}
