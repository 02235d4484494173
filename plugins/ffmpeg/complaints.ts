import { masked } from "../../base/masking.ts";

/** Lines kept, and how much of one. */
const KEPT_LINES = 4;
const MAX_LINE = 300;
/** A line that does not end is cut here. */
const MAX_PENDING = 8192;

/** Lines that every run writes, and that say nothing about this one. */
const NOISE = [
  /^\s*$/,
  /^(ffmpeg|ffprobe) version /,
  /^\s+(built with|configuration:|lib\w+ )/,
  /^(Input|Output) #\d/,
  /^\s+(Metadata|Duration|Stream #|encoder|title|creation_time)/,
  /^Stream mapping:/,
  /^Press \[q\]/,
  /^(frame|size)=/,
  /^Last message repeated/,
  /deprecated pixel format/,
  /Exiting normally, received signal/,
];
/** `[rtsp @ 0x55d0c0]`: an address in memory is of no use to anybody. */
const ADDRESS = /\[([\w,/ :#.-]+?) @ 0x[0-9a-f]+\]\s*/g;

/** The last complaints of a program, which explain its failure. */
export class Complaints {
  readonly #secrets: readonly string[];
  readonly #lines: string[] = [];
  readonly #heard: ((line: string) => void) | undefined;
  #pending = "";
  /** How many lines were kept so far. */
  count = 0;

  /**
   * @param secrets Texts that are never shown, such as a password in an argument.
   * @param heard Called with each complaint that is kept.
   */
  constructor(secrets: readonly string[] = [], heard?: (line: string) => void) {
    this.#heard = heard;
    this.#secrets = secrets.filter((secret) => secret !== "");
  }

  /** Takes more output. */
  add(text: string): void {
    const lines = (this.#pending + text).split(/[\r\n]+/);
    this.#pending = lines.pop()!.slice(-MAX_PENDING);
    for (const line of lines) this.#keep(line);
  }

  /** All kept lines as the end of a sentence; empty without a complaint. */
  get text(): string {
    this.#keep(this.#pending);
    this.#pending = "";
    return this.#lines.join("; ");
  }

  #keep(line: string): void {
    if (NOISE.some((noise) => noise.test(line))) return;
    let text = masked(line.replace(ADDRESS, "$1: ").trim());
    for (const secret of this.#secrets) text = text.replaceAll(secret, "***");
    if (text.length > MAX_LINE) text = `${text.slice(0, MAX_LINE)}…`;
    this.count++;
    const before = this.#lines.indexOf(text);
    if (before >= 0) this.#lines.splice(before, 1);
    this.#lines.push(text);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    this.#heard?.(text);
  }
}
