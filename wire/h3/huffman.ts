/**
 * The Huffman code of HPACK and QPACK (RFC 7541, appendix B). The code is canonical, so the
 * lengths define it: shorter codes come first, and codes of equal length are in the order of the symbols.
 *
 * @module
 */
import { ProtocolViolation } from "../errors.ts";

/** Code length of the symbols 0 to 255 and of EOS, in bits, one base-36 digit each. */
const LENGTHS = "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca" +
  "d67777777777777777777777878djde6f56565666577666567655677777fbeds" +
  "kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn" +
  "qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq" +
  "u";
const EOS = 256;
const MAX_BITS = 30;

/** For each length: its first code, and where its symbols begin in {@link symbols}. */
const firstCode = new Uint32Array(MAX_BITS + 2);
const firstSymbol = new Uint16Array(MAX_BITS + 2);
const symbols = new Uint16Array(EOS + 1);
{
  let code = 0;
  let at = 0;
  for (let bits = 1; bits <= MAX_BITS; bits++) {
    firstCode[bits] = code;
    firstSymbol[bits] = at;
    for (let symbol = 0; symbol <= EOS; symbol++) {
      if (parseInt(LENGTHS[symbol]!, 36) !== bits) continue;
      symbols[at++] = symbol;
      code++;
    }
    code *= 2;
  }
  firstSymbol[MAX_BITS + 1] = at;
}

/**
 * Decodes one Huffman-coded string; its bytes are returned as the code units 0 to 255.
 * @throws {ProtocolViolation} EOS in the text, or padding that is not up to seven 1 bits.
 */
export function decodeHuffman(coded: Uint8Array): string {
  const out: number[] = [];
  let code = 0;
  let bits = 0;
  for (const byte of coded) {
    for (let shift = 7; shift >= 0; shift--) {
      code = code * 2 + (byte >> shift & 1);
      bits++;
      const index = code - firstCode[bits]!;
      if (index >= firstSymbol[bits + 1]! - firstSymbol[bits]!) continue;
      const symbol = symbols[firstSymbol[bits]! + index]!;
      if (symbol === EOS) throw new ProtocolViolation("Huffman string", "it holds EOS");
      out.push(symbol);
      code = 0;
      bits = 0;
    }
  }
  if (bits > 7 || code !== 2 ** bits - 1) {
    throw new ProtocolViolation("Huffman string", "the padding is not up to seven 1 bits");
  }
  return isomorphic(out);
}

/** Bytes as code units 0 to 255: header values are bytes, not text. */
export function isomorphic(bytes: ArrayLike<number>): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
