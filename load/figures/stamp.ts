/**
 * The beginning of every frame of the generator: when it was written, and whether it is the last of its group. Publishers
 * and viewers run on one machine, so they share its clock.
 *
 * @module
 */

/** Milliseconds since 1970, with microseconds as a fraction. The same in all processes of the machine. */
export const wallMs = (): number => performance.timeOrigin + performance.now();

/** The smallest frame possible. */
export const STAMP_BYTES = 9;

/** Writes the stamp into the beginning of a frame. */
export function putStamp(frame: DataView, sentMs: number, last: boolean): void {
  frame.setFloat64(0, sentMs);
  frame.setUint8(8, last ? 1 : 0);
}

/** When a frame was written. */
export const sentMsOf = (frame: DataView): number => frame.getFloat64(0);

/** Whether its group ends with it. */
export const isLast = (frame: DataView): boolean => frame.getUint8(8) === 1;

const LETTERS = 36;

/** A broadcast name that contains the time of its announcement. */
export const stampedName = (n: number, sentMs: number): string =>
  `n${n}-${Math.round(sentMs * 1000).toString(LETTERS)}`;

/** When a broadcast with such a name was announced, or `undefined` for other names. */
export function sentMsOfName(path: string): number | undefined {
  const stamp = /(?:^|\/)n\d+-([0-9a-z]+)$/.exec(path)?.[1];
  return stamp === undefined ? undefined : parseInt(stamp, LETTERS) / 1000;
}
