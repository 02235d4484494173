/** Bytes as hexadecimal digits; `toHex()` is missing in browsers of early 2025. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
