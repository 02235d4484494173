import { QumoError, reasonOf } from "../../../base/errors.ts";

/** A recording cannot be written: the disk is full, or not ours to write. */
export class RecordFailed extends QumoError {
  readonly code = "QUMO_RECORD_FAILED";
  constructor(readonly path: string, cause: unknown) {
    super(`Cannot record to ${path}: ${reasonOf(cause)}; what was written before is kept`, {
      cause,
    });
  }
}

/** No other recording can be written either: the disk is full, or may not be written any more. */
const OF_THE_DISK = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

/** Whether a failure is not that of one broadcast alone. */
export function concernsAll(error: unknown): boolean {
  if (!(error instanceof RecordFailed)) return false;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === "string" && OF_THE_DISK.has(code);
}
