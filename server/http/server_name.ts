/**
 * The host name that a TLS client asks for (SNI, RFC 6066 §3), read from its first record.
 *
 * @module
 */

const RECORD_HEAD = 5;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;

/** How many bytes {@link serverNameOf} needs. At most 16 KiB and the head of the record. */
export function helloBytes(start: Uint8Array): number {
  if (start.length < RECORD_HEAD) return RECORD_HEAD;
  return RECORD_HEAD + Math.min((start[3]! << 8) | start[4]!, 1 << 14);
}

/** @returns The name in lower case; `undefined` when there is none or the record is not a whole ClientHello. */
export function serverNameOf(record: Uint8Array): string | undefined {
  try {
    return find(new DataView(record.buffer, record.byteOffset, record.byteLength));
  } catch (error) {
    if (error instanceof RangeError) return undefined; // it ends too early
    throw error;
  }
}

/** @throws {RangeError} It ends too early. */
function find(view: DataView): string | undefined {
  let at = RECORD_HEAD;
  if (view.getUint8(at) !== CLIENT_HELLO) return undefined;
  at += 4 + 2 + 32; // type and length, version, random
  at += 1 + view.getUint8(at); // session id
  at += 2 + view.getUint16(at); // cipher suites
  at += 1 + view.getUint8(at); // compression
  const end = at + 2 + view.getUint16(at);
  for (at += 2; at < end; at += 4 + view.getUint16(at + 2)) {
    if (view.getUint16(at) !== SERVER_NAME) continue;
    // A list with one name: type, length, name.
    if (view.getUint8(at + 6) !== HOST_NAME) return undefined;
    const length = view.getUint16(at + 7);
    const name = new Uint8Array(view.buffer, view.byteOffset + at + 9, length);
    return new TextDecoder().decode(name).toLowerCase();
  }
  return undefined;
}
