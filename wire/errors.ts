import { QumoError } from "../base/errors.ts";

/** The peer broke the wire format. Whoever owns the session closes it; a decoder never does. */
export class ProtocolViolation extends QumoError {
  readonly code = "QUMO_PROTOCOL_VIOLATION";
  constructor(readonly where: string, detail: string, options?: ErrorOptions) {
    super(`Cannot decode ${where}: ${detail}`, options);
  }
}
