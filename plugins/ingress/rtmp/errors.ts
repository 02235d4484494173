import { QumoError } from "../../../base/errors.ts";

/** A peer breaks the protocol, or sends more than is accepted: its connection ends. The only error that the decoders throw. */
export class RtmpViolation extends QumoError {
  readonly code = "QUMO_RTMP_VIOLATION";
}
