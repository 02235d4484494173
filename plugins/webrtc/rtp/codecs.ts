/** What a WebCodecs codec string is called in SDP. */
export type Family = "H264" | "H265" | "VP8" | "VP9" | "AV1" | "OPUS" | "AAC";

/** @returns `undefined` for a codec that is not known here. */
export function familyOf(codec: string): Family | undefined {
  const name = codec.toLowerCase();
  if (/^avc[13]/.test(name)) return "H264";
  if (/^(hvc|hev)1/.test(name)) return "H265";
  if (/^(vp8|vp08)/.test(name)) return "VP8";
  if (/^(vp9|vp09)/.test(name)) return "VP9";
  if (name.startsWith("av01")) return "AV1";
  if (name === "opus") return "OPUS";
  if (name.startsWith("mp4a.40")) return "AAC";
  return undefined;
}
