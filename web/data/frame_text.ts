/** A frame's bytes for people: text as text, anything else as a hex dump. */
import { visible } from "../../base/visible_text.ts";

/** How a frame is shown. "auto": as text where it is text. */
export type Shape = "auto" | "text" | "hex";

/** More of a frame is not shown. */
export const MOST_BYTES = 512;
const BYTES_PER_LINE = 8;

/** Lines of a frame's first {@link MOST_BYTES} bytes. */
export function frameText(bytes: Uint8Array, shape: Shape): string {
  const shown = bytes.subarray(0, MOST_BYTES);
  return shape === "hex" || shape === "auto" && !isText(shown, bytes.length > MOST_BYTES)
    ? hexDump(shown)
    : new TextDecoder().decode(shown).split("\n").map(visible).join("\n");
}

/** Whether bytes are UTF-8 without control characters other than tabs and line ends. @param cut The last character may be half. */
function isText(bytes: Uint8Array, cut: boolean): boolean {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: cut });
    return !/[^\P{Cc}\t\r\n]/u.test(text);
  } catch {
    return false;
  }
}

/** "0008  68 65 6c 6c 6f           hello": narrow enough for a phone. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_LINE) {
    const line = [...bytes.subarray(at, at + BYTES_PER_LINE)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = line.map((byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".");
    lines.push(
      `${at.toString(16).padStart(4, "0")}  ${hex.padEnd(BYTES_PER_LINE * 3)} ${text.join("")}`,
    );
  }
  return lines.join("\n");
}
