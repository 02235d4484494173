import { QumoError } from "../base/errors.ts";

/** The bytes are not a fragmented MP4 this program can carry; the reader of them is of no further use. */
export class MediaError extends QumoError {
  readonly code = "QUMO_MEDIA_INVALID";
}
