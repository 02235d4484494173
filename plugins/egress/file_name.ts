/**
 * Names of broadcasts and tracks as names of files and objects. Publishers choose them, so no name leads out of its folder, no
 * name is too long, and two names never share a file.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Longest part of a path, in bytes. File systems take 255, and a time and an ending need some of it. */
export const MAX_PART_BYTES = 120;
/** Longest path, in bytes. A key of S3 has at most 1,024, and some are needed around the path. */
const MAX_PATH_BYTES = 512;
/** Stands only before a hash: an escaped name never holds it. */
const MARK = "~";
const HASH_BYTES = 10;
/** Windows opens a device for these names, whatever their ending. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³])(?=\.|$)/i;
/** Endings of the files and objects that this program makes. */
const OURS = /\.(?:mp4|m4s|m3u8|part)$/;

/**
 * A text as the name of one file. Lower-case names stay as they are. The name gets a hash at its end if it is too long, or has
 * letters that a file system may take for others, such as upper-case ones.
 * @returns At most {@link MAX_PART_BYTES} bytes of letters, digits, spaces and `.-_%~`; never empty.
 */
export function fileName(text: string): string {
  const plain = text.replaceAll(/[^\p{L}\p{N}._ -]/gu, escaped)
    .replace(DEVICE, (device) => escaped(device[0]!) + device.slice(1))
    .replace(/^[. ]/, escaped)
    .replace(/[. ]$/, escaped) || "%";
  const unmistakable = plain === folded(plain) && text.isWellFormed();
  return unmistakable && bytesOf(plain) <= MAX_PART_BYTES ? plain : marked(text, plain);
}

/** One part of a broadcast's path. A folder must not have a name that a file beside it may have. */
function partName(text: string): string {
  const name = fileName(text);
  return OURS.test(name) ? marked(text, name) : name;
}

function marked(text: string, plain: string): string {
  return cut(plain, MAX_PART_BYTES - MARK.length - 2 * HASH_BYTES) + MARK + hashOf(text);
}

/** A path as a path of folders. Each part is made by {@link fileName}, and none looks like a file of ours. @returns At most 512 bytes; never empty. */
export function filePath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  const whole = parts.map(partName).join("/") || "%";
  if (bytesOf(whole) <= MAX_PATH_BYTES) return whole;
  const short: string[] = [MARK + hashOf(parts.join("/"))];
  let bytes = bytesOf(short[0]!);
  for (const part of parts.map(partName)) {
    bytes += bytesOf(part) + 1;
    if (bytes > MAX_PATH_BYTES) break;
    short.splice(-1, 0, part);
  }
  return short.join("/");
}

/** The same text for all names that a file system may take for one another, by case or by how accents are written. */
function folded(text: string): string {
  return text.normalize("NFKD").toUpperCase().toLowerCase().normalize("NFKD").normalize("NFC");
}

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

function escaped(char: string): string {
  return new TextEncoder().encode(char).toHex().replaceAll(/../g, "%$&");
}

/** The beginning of a text in whole characters, without an end that a file system would drop. */
function cut(text: string, maxBytes: number): string {
  let bytes = 0;
  let end = 0;
  for (const char of text) {
    bytes += bytesOf(char);
    if (bytes > maxBytes) break;
    end += char.length;
  }
  return text.slice(0, end);
}

/** Different for every text, even for texts that are not well-formed Unicode. */
function hashOf(text: string): string {
  const digest = createHash("sha256").update(JSON.stringify(text)).digest();
  return digest.subarray(0, HASH_BYTES).toString("hex");
}
