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
