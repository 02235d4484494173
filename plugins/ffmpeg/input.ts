/**
 * How ffmpeg is told what to read. Each input names the protocols that may be used for it and, where it is known, its format: what
 * comes in may be a playlist that leads elsewhere.
 *
 * @module
 */

/** Its standard input, in a known format. */
export function pipeInput(format: string): string[] {
  return ["-protocol_whitelist", "pipe", "-f", format, "-i", "pipe:0"];
}
