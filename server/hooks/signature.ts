/**
 * How a webhook's requests are signed: HMAC-SHA256 over the time and the body. So nobody can forge a request, change one or
 * send an old one again.
 *
 * @module
 */
import { createHmac } from "node:crypto";

/** The header of the signature. */
export const SIGNATURE_HEADER = "qumo-signature";

/** @param atS When the request is sent, in seconds since 1970. @returns `t=SECONDS,v1=HEX`. */
export function signatureOf(secret: string, atS: number, body: string): string {
  const hex = createHmac("sha256", secret).update(`${atS}.${body}`).digest("hex");
  return `t=${atS},v1=${hex}`;
}
