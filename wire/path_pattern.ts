/**
 * Patterns of broadcast paths. This is the one matcher: grants and key scopes, `auth.public_*`, what is recorded, hooks and
 * plugins all use it.
 *
 * - A segment without a `*` stands for itself.
 * - `*` stands for exactly one segment, and `pre*post` for one segment with that head and tail.
 * - `**` stands for any number of segments, none included, and stands at most once in a pattern.
 *
 * So `foo/**` covers `foo` itself, `**` everything, and the empty pattern only the root.
 *
 * Lists of broadcasts take the plain form alone, see {@link isPlainPattern}. Grants take every pattern.
 *
 * @module
 */
import { QumoError } from "../base/errors.ts";
import { MAX_PATH_PARTS, normalizePath } from "./path.ts";

/** A text that is not a pattern, or a pattern that is too deep. */
export class BadPattern extends QumoError {
  readonly code = "QUMO_BAD_PATTERN";
}

/** A checked pattern. */
export class Pattern {
  readonly #segments: readonly string[];
  readonly #globstar: number;

  private constructor(segments: readonly string[]) {
    if (segments.length > MAX_PATH_PARTS) {
      throw new BadPattern(`a pattern has at most ${MAX_PATH_PARTS} segments`);
    }
    for (const segment of segments) {
      if (segment !== "**" && segment.split("*").length > 2) {
        throw new BadPattern(
          `"${segment}" has more than one "*"; write "*" once in a segment, or "**" alone`,
        );
      }
    }
    this.#globstar = segments.indexOf("**");
    if (this.#globstar !== segments.lastIndexOf("**")) {
      throw new BadPattern('"**" stands at most once in a pattern');
    }
    this.#segments = segments;
  }

  /** Reads a pattern. Leading, trailing and doubled slashes are left out. @throws {BadPattern} */
  static parse(text: string): Pattern {
    return new Pattern(partsOf(text));
  }

  /** A path and all below it: what a prefix of older tokens means. @throws {BadPattern} The path has a "*" in it. */
  static subtree(path: string): Pattern {
    if (path.includes("*")) throw new BadPattern(`"${path}" is a prefix and holds no "*"`);
    return new Pattern([...partsOf(path), "**"]);
  }

  /** The prefix this pattern is the subtree of, `undefined` where it is none. */
  get prefix(): string | undefined {
    const path = this.#segments.slice(0, -1).join("/");
    return this.#segments.at(-1) === "**" && !path.includes("*") ? path : undefined;
  }

  /**
   * Whether a normalised path is covered.
   * @param options.starred Whether a path with a "*" in it can be covered. Default false: a grant for it would read as a
   *   grant for a pattern.
   */
  matches(path: string, { starred = false }: { readonly starred?: boolean } = {}): boolean {
    if (!starred && path.includes("*")) return false;
    return covers(this.#segments, this.#globstar, partsOf(path));
  }

  /** Whether every path that `other` covers is covered here. */
  contains(other: Pattern): boolean {
    if (other.#globstar < 0) return covers(this.#segments, this.#globstar, other.#segments);
    // Beyond the length of this pattern, more segments in place of the other's "**" change nothing.
    for (let count = 0; count <= this.#segments.length + 1; count++) {
      const stars = new Array<string>(count).fill("*");
      const spelled = other.#segments.toSpliced(other.#globstar, 1, ...stars);
      if (!covers(this.#segments, this.#globstar, spelled)) return false;
    }
    return true;
  }

  /** What is left of this pattern below a path; several where `**` can end before, at or behind it. */
  below(path: string): Pattern[] {
    let open = new Set([0]);
    for (const part of partsOf(path)) {
      const next = new Set<number>();
      for (const at of this.#reachable(open)) {
        const segment = this.#segments[at];
        if (segment === "**") next.add(at);
        else if (segment !== undefined && segmentCovers(segment, part)) next.add(at + 1);
      }
      open = next;
    }
    return [...open].map((at) => new Pattern(this.#segments.slice(at)));
  }

  /** This pattern as it is called from further up. @throws {BadPattern} It would be too deep, or the path has a "*". */
  under(path: string): Pattern {
    if (path.includes("*")) throw new BadPattern(`"${path}" is a path and holds no "*"`);
    return new Pattern([...partsOf(path), ...this.#segments]);
  }

  toString(): string {
    return this.#segments.join("/");
  }

  /** A "**" may stand for nothing. */
  #reachable(open: ReadonlySet<number>): Set<number> {
    const all = new Set(open);
    for (const at of open) if (this.#segments[at] === "**") all.add(at + 1);
    return all;
  }
}

/** Whether a text is a pattern. */
export function isPattern(text: string): boolean {
  try {
    return Pattern.parse(text) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Whether a text is a pattern in its plain form: normalised and not empty, `*` only as a whole segment, `**` only as the
 * last one.
 */
export function isPlainPattern(text: string): boolean {
  const parts = text.split("/");
  return isPattern(text) &&
    parts.every((part, i) =>
      part === "*" || (part === "**" && i === parts.length - 1) ||
      (part !== "" && !part.includes("*"))
    );
}

/** Tells the broadcasts that one of some plain patterns covers. A text that is not a plain pattern covers itself alone. */
export function matcherOf(texts: readonly string[]): (path: string) => boolean {
  const patterns = texts.filter(isPlainPattern).map((text) => Pattern.parse(text));
  return (path) =>
    texts.includes(path) || patterns.some((pattern) => pattern.matches(path, { starred: true }));
}

/** Patterns with those left out that another one covers. */
export function compacted(patterns: readonly Pattern[]): Pattern[] {
  const kept: Pattern[] = [];
  for (const pattern of patterns) {
    if (kept.some((k) => k.contains(pattern))) continue;
    const stay = kept.filter((k) => !pattern.contains(k));
    kept.splice(0, kept.length, ...stay, pattern);
  }
  return kept;
}

/** Whether each of `wanted` is covered by one of `allowed`. */
export function allContained(allowed: readonly Pattern[], wanted: readonly Pattern[]): boolean {
  return wanted.every((w) => allowed.some((a) => a.contains(w)));
}

const partsOf = (path: string) => {
  const normal = normalizePath(path);
  return normal === "" ? [] : normal.split("/");
};

/** @param parts Segments without "**". */
function covers(segments: readonly string[], globstar: number, parts: readonly string[]): boolean {
  if (globstar < 0) {
    return segments.length === parts.length &&
      segments.every((s, i) => segmentCovers(s, parts[i]!));
  }
  const tail = segments.length - globstar - 1;
  if (parts.length < globstar + tail) return false;
  const skipped = parts.length - segments.length;
  return segments.every((s, i) =>
    i === globstar || segmentCovers(s, parts[i < globstar ? i : i + skipped]!)
  );
}

/** Whether one segment covers another, which may have a "*" itself. */
function segmentCovers(segment: string, part: string): boolean {
  const [head, tail] = segment.split("*") as [string, string?];
  if (tail === undefined) return segment === part;
  const [partHead, partTail] = part.split("*") as [string, string?];
  if (partTail !== undefined) return partHead.startsWith(head) && partTail.endsWith(tail);
  return part.length >= head.length + tail.length && part.startsWith(head) && part.endsWith(tail);
}
