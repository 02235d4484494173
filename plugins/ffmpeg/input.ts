/**
 * The input options of ffmpeg. Each input names the protocols that it may use and, where that is known, its format: the input
 * may be a playlist that leads elsewhere.
 *
 * @module
 */

/** Its standard input, in a known format. */
export function pipeInput(format: string): string[] {
  return ["-protocol_whitelist", "pipe", "-f", format, "-i", "pipe:0"];
}

/** The formats of a playlist and its parts. */
const HLS_FORMATS = "hls,mpegts,mov,mp4,aac,ac3,eac3,mp3,webvtt";

/** A playlist by plain HTTP: the proxy of its environment does the rest. */
export function hlsInput(url: string): string[] {
  const protocols = "http,tcp,crypto,data";
  return [
    "-protocol_whitelist",
    protocols,
    "-format_whitelist",
    HLS_FORMATS,
    "-f",
    "hls",
    "-i",
    url,
  ];
}

/** Formats of files that hold media themselves. Playlists, scripts and lists of pictures would lead to other files. */
const FILE_FORMATS = [
  ...["mov", "mp4", "matroska", "webm", "mpegts", "mpeg", "mpegvideo", "flv", "live_flv", "avi"],
  ...["asf", "ogg", "mxf", "gxf", "nut", "nsv", "rm", "wtv", "dv", "ivf", "obu", "av1", "y4m"],
  ...["yuv4mpegpipe", "h264", "hevc", "vc1", "m4v", "mjpeg", "gif", "apng", "amr", "caf", "aiff"],
  ...["wav", "w64", "rf64", "flac", "mp3", "mp2", "aac", "ac3", "eac3", "dts", "truehd", "opus"],
  ...["ape", "wv", "tta", "au", "dsf", "tak", "3gp", "3g2", "m4a", "mj2", "swf", "roq", "ea"],
].join(",");

/** A file in any of these formats. */
export function fileInput(path: string): string[] {
  // "file:" keeps ffmpeg from taking the path for a URL or an option.
  const input = ["-protocol_whitelist", "file", "-format_whitelist", FILE_FORMATS];
  return [...input, "-i", `file:${path}`];
}

/** An RTSP server. It can redirect ffmpeg to another RTSP server; ffmpeg has no option against that. */
export function rtspInput(url: string): string[] {
  return ["-protocol_whitelist", "rtsp,rtsps,rtp,udp,tcp,tls", "-f", "rtsp", "-i", url];
}

/** MPEG-TS by SRT. */
export function srtInput(url: string): string[] {
  return ["-protocol_whitelist", "srt", "-f", "mpegts", "-i", url];
}

/** A device of this machine, or a source that ffmpeg generates. */
export function deviceInput(format: string, options: readonly string[], name: string): string[] {
  return ["-protocol_whitelist", "file", "-f", format, ...options, "-i", name];
}
