import { QumoError } from "../base/errors.ts";

/** The media cannot be carried: it is damaged, or of a kind that this program does not know. */
export class MediaError extends QumoError {
  readonly code = "QUMO_MEDIA_INVALID";
}
