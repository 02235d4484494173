/** What is counted of media on its way; whoever hands them out owns them. */
export interface MediaCounters {
  framesIn: number;
  bytesIn: number;
  framesOut: number;
  bytesOut: number;
  /** Damaged pieces of media that were left out. */
  skipped: number;
}
