import { QumoError } from "../base/errors.ts";

/** The peer broke the wire format. A decoder only throws this; the owner of the session closes it. */
export class ProtocolViolation extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_PROTOCOL_VIOLATION";
  /**
   * Made by decoders.
   * @param where The message, or the part of it, that cannot be read.
   */
  constructor(readonly where: string, detail: string, options?: ErrorOptions) {
    super(`Cannot decode ${where}: ${detail}`, options);
  }
}
