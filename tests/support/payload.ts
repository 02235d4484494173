/** The bytes of a test's frame, the same on every side. Some frames fit a packet, some need several. */
export function payloadOf(group: number, frame: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1 + (group * 397 + frame * 1201) % 4000);
  let state = (group * 5 + frame + 1) >>> 0;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Whether these are the bytes of that frame. */
export function isPayloadOf(group: number, frame: number, bytes: Uint8Array): boolean {
  const expected = payloadOf(group, frame);
  return bytes.length === expected.length && bytes.every((byte, i) => byte === expected[i]);
}
