import { QumoError } from "../../../base/errors.ts";

/** What a peer sent is no RTMP, or more of it than is taken: its connection ends. The only error the decoders throw. */
export class RtmpViolation extends QumoError {
  readonly code = "QUMO_RTMP_VIOLATION";
}
