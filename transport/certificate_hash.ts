/** Reads 64 hexadecimal digits, with or without colons; `undefined` for another text. */
export function parseHash(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bare = text.replaceAll(":", "");
  if (!/^[0-9a-f]{64}$/i.test(bare)) return undefined;
  // `Uint8Array.fromHex` is newer than some browsers that have WebTransport.
  return Uint8Array.from({ length: 32 }, (_, i) => parseInt(bare.slice(i * 2, i * 2 + 2), 16));
}
