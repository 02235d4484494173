/** Numbers as people read them. */

/** "2.4 Mbit/s". */
export function bitRate(bitsPerSecond: number): string {
  return `${scaled(bitsPerSecond, 1000, ["", "k", "M", "G"])}bit/s`;
}

/** "12.3 MB". */
export function bytes(count: number): string {
  return `${scaled(count, 1000, ["", "k", "M", "G", "T"])}B`;
}

/** Milliseconds for a sentence: "120 ms", "2.5 s". */
export function millis(ms: number): string {
  return Math.abs(ms) < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** How long something has been running: "12 s", "5 min", "3 h 20 min", "2 d 4 h". */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit));
  if (days! > 0) return `${days} d ${hours! % 24} h`;
  if (hours! > 0) return `${hours} h ${minutes! % 60} min`;
  return minutes! > 0 ? `${minutes} min` : `${seconds} s`;
}

/** The usual name of a codec; the codec string itself when it is unknown. */
export function codecName(codec: string): string {
  const known = CODECS.find(([prefix]) => codec.startsWith(prefix!));
  return known === undefined ? codec : known[1]!;
}

const CODECS: readonly (readonly [string, string])[] = [
  ["avc", "H.264"],
  ["hev", "H.265"],
  ["hvc", "H.265"],
  ["vp8", "VP8"],
  ["vp09", "VP9"],
  ["av01", "AV1"],
  ["opus", "Opus"],
  ["mp4a", "AAC"],
  ["mp3", "MP3"],
];

function scaled(value: number, step: number, units: readonly string[]): string {
  let at = 0;
  let rest = value;
  while (Math.abs(rest) >= step * 0.9995 && at < units.length - 1) {
    rest /= step;
    at++;
  }
  const digits = at === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  return `${rest.toFixed(digits)} ${units[at]}`;
}
