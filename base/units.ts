const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const UNIT_BYTES = { "": 1, B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;

/** The hint for a text that is no duration. */
export const DURATION_HINT = 'write a number and a unit, like "500ms", "10s", "2m" or "1h"';

/** The hint for a text that is no size. */
export const SIZE_HINT = 'write a number of bytes, or a number and a unit, like "1500" or "4KB"';

/**
 * Reads a duration like "500ms", "10s", "2m", "1h" or "1.5s".
 *
 * @returns Whole milliseconds, or `undefined` if the text is no duration or too large for a number.
 */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
  if (!match) return undefined;
  const ms = Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** Writes whole milliseconds with the largest unit that needs no fraction: 90000 is "90s". */
export function formatDuration(ms: number): string {
  for (const unit of ["h", "m", "s"] as const) {
    if (ms >= UNIT_MS[unit] && ms % UNIT_MS[unit] === 0) return `${ms / UNIT_MS[unit]}${unit}`;
  }
  return `${ms}ms`;
}

/**
 * Reads a size like "1500", "4KB", "32MB" or "1GB". A KB is 1024 bytes; "K", "KiB" and lower case
 * mean the same.
 *
 * @returns Whole bytes, or `undefined` if the text is no size or too large for a number.
 */
export function parseSizeBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG]?)(i?B)?$/i.exec(text.trim());
  if (!match) return undefined;
  const unit = `${match[2]!.toUpperCase()}B` as keyof typeof UNIT_BYTES;
  if (unit === "B" && match[1]!.includes(".")) return undefined;
  const bytes = Math.round(Number(match[1]) * UNIT_BYTES[unit]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Writes bytes with the largest unit that needs no fraction: 33554432 is "32MB", 1500 is "1500". */
export function formatSize(bytes: number): string {
  for (const unit of ["GB", "MB", "KB"] as const) {
    const one = UNIT_BYTES[unit];
    if (bytes >= one && bytes % one === 0) return `${bytes / one}${unit}`;
  }
  return String(bytes);
}
