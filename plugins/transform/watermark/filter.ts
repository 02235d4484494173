/** The corner of the mark. */
export const POSITIONS = [
  ...["top-left", "top-right", "bottom-left", "bottom-right", "center"],
] as const;

/** The mark of the options. */
export interface Mark {
  readonly image: string | undefined;
  readonly text: string | undefined;
  readonly fontFile: string | undefined;
  readonly color: string;
  readonly position: (typeof POSITIONS)[number];
  /** Width of an image in percent of the picture's width, or height of letters in percent of its height. */
  readonly size: number;
  /** Distance from the edges, in percent of the picture's height. */
  readonly margin: number;
  /** From 0 to 1. */
  readonly opacity: number;
}

/** Size of the picture in pixels, where it is known. */
export interface PictureSize {
  readonly width?: number;
  readonly height?: number;
}

/** The filter graph that puts the mark on the picture: from `[0:v:0]` to `[marked]`. */
export function markFilter(mark: Mark, picture: PictureSize): string {
  const { width, height } = picture;
  // Video that changes its size in mid-stream is scaled to that of the catalog: encoders cannot follow.
  const steady = width && height ? `scale=${width}:${height}` : "null";
  const { size, margin, opacity } = mark;
  if (mark.image === undefined) {
    const font = mark.fontFile === undefined ? "" : `:fontfile=${escaped(mark.fontFile)}`;
    const at = placed(mark, ["w", "h", "text_w", "text_h"], margin);
    return `[0:v:0]${steady},drawtext=text=${escaped(mark.text ?? "")}:expansion=none${font}` +
      `:fontsize=h*${size / 100}:fontcolor=${mark.color}@${opacity}` +
      `:bordercolor=black@${opacity / 2}:borderw=1:${at}[marked]`;
  }
  const pixels = Math.max(2, Math.round((width ?? 1280) * size / 100));
  const at = placed(mark, ["W", "H", "w", "h"], margin);
  // The image is a plain file: no format that leads to other files.
  return `movie=filename=${
    escaped(`file:${mark.image}`)
  }:format_opts=protocol_whitelist=file,format=rgba,scale=${pixels}:-1,` +
    `colorchannelmixer=aa=${opacity}[mark];` +
    `[0:v:0]${steady}[picture];[picture][mark]overlay=${at}:eof_action=repeat[marked]`;
}

function placed(
  { position }: Mark,
  [W, H, w, h]: readonly [string, string, string, string],
  margin: number,
): string {
  const gap = `${H}*${margin / 100}`;
  if (position === "center") return `x=(${W}-${w})/2:y=(${H}-${h})/2`;
  const x = position.endsWith("left") ? gap : `${W}-${w}-${gap}`;
  const y = position.startsWith("top") ? gap : `${H}-${h}-${gap}`;
  return `x=${x}:y=${y}`;
}

/** A text as the value of a filter's option: escaped for the option, and then for the graph. */
export function escaped(text: string): string {
  const option = text.replace(/[\\':]/g, "\\$&");
  return option.replace(/[\\'[\],;\s]/g, "\\$&");
}
