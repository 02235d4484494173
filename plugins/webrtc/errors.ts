import { QumoError } from "../../base/errors.ts";

/** A refused request: the status of its answer, and a sentence for the client. */
export class WebRtcRefused extends QumoError {
  readonly code = "QUMO_WEBRTC_REFUSED";
  /** @param headers Added to the answer. */
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}
