/**
 * Names of recordings. A publisher chooses the name of its broadcast, so no part of it may lead out of the directory.
 *
 * @module
 */
import { fileName, filePath, MAX_PART_BYTES } from "../file_name.ts";

/** Ending of files that are still being written. */
export const UNFINISHED = ".part";
/** What every file system takes, with that behind it. */
const MAX_FILE_BYTES = 255 - UNFINISHED.length;
const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z(?:-\d+)?`;

/** Whether a template gives every file its own name within the directory. */
export function isTemplate(text: string): boolean {
  const parts = text.split("/");
  return text.includes("{time}") && text.endsWith(".mp4") &&
    /^[^{}\\]*$/.test(text.replaceAll(/\{(broadcast|time)\}/g, "")) &&
    parts.every((part) => part !== "" && part !== "." && part !== "..") &&
    longestPart(text) <= MAX_FILE_BYTES;
}

/** Of the longest names a broadcast can have, in bytes. */
function longestPart(template: string): number {
  const longest = nameOf(template, fileName("x".repeat(MAX_PART_BYTES)), 0, 999_999);
  return Math.max(...longest.split("/").map((part) => new TextEncoder().encode(part).length));
}

/** @param serial Above 0 if a file of that name exists already. */
export function nameOf(template: string, broadcast: string, wallMs: number, serial = 0): string {
  const time = new Date(wallMs).toISOString().replaceAll(/[:.]/g, "-") +
    (serial > 0 ? `-${serial}` : "");
  return template.replaceAll("{broadcast}", () => filePath(broadcast)).replaceAll("{time}", time);
}

/** Recognizes names that come from a template: retention touches no others. */
export function namePattern(template: string): RegExp {
  const source = template.split(/(\{broadcast\}|\{time\})/).map((piece) =>
    piece === "{broadcast}" ? ".+" : piece === "{time}" ? TIME : RegExp.escape(piece)
  );
  return new RegExp(`^${source.join("")}$`);
}
