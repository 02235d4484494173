import { QumoError, reasonOf } from "../../../base/errors.ts";

/** A recording cannot be written: the disk is full, or the program may not write there. */
export class RecordFailed extends QumoError {
  readonly code = "QUMO_RECORD_FAILED";
  constructor(readonly path: string, cause: unknown) {
    super(`Cannot record to ${path}: ${reasonOf(cause)}; what was written before is kept`, {
      cause,
    });
  }
}

/** These failures concern every recording: the disk is full, or can no longer be written. */
const OF_THE_DISK = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

/** Whether a failure concerns more than one broadcast. */
export function concernsAll(error: unknown): boolean {
  if (!(error instanceof RecordFailed)) return false;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === "string" && OF_THE_DISK.has(code);
}
