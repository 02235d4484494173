import { ProtocolViolation } from "../errors.ts";

/** Error codes that connections are closed with (RFC 9114 §8.1, draft-ietf-webtrans-http3 §9.5). */
export const H3Error = {
  none: 0x100,
  protocol: 0x101,
  streamCreation: 0x103,
  closedCriticalStream: 0x104,
  frameUnexpected: 0x105,
  excessiveLoad: 0x107,
  id: 0x108,
  missingSettings: 0x10a,
  flowControl: 0x045d4487,
} as const;

/** A violation that has an error code of its own in HTTP/3 or WebTransport. */
export class H3Violation extends ProtocolViolation {
  constructor(readonly h3Code: number, where: string, detail: string) {
    super(where, detail);
  }
}
