/**
 * Loads by name, with the flags that they stand for, and loads from files of the same form.
 *
 * @module
 */
import { reasonOf, UsageError } from "../../base/errors.ts";
import { parseDurationMs, parseSizeBytes } from "../../base/units.ts";
import { didYouMean } from "../../base/suggest.ts";
import type { LoadSpec } from "./plan.ts";
import { parseRange, plainNumber, type Range } from "../figures/range.ts";
import { STAMP_BYTES } from "../figures/stamp.ts";

/** The default numbers of a load. */
const DEFAULTS = {
  ...{ publishers: "1", tracks: "1", viewers: "100", watch: "one", fps: "30" },
  ...{ "frame-size": "4000", "group-size": "30", duration: "10s", ramp: "2s", stay: "", slow: "0" },
  ...{ measure: "settled", kind: "media" },
};
/** The parts of a load. Most of them are flags too. */
export type LoadKey = keyof typeof DEFAULTS;
const LOAD_KEYS = Object.keys(DEFAULTS) as LoadKey[];

/** The numbers of a load, as they are written. */
export type LoadTexts = Readonly<Record<LoadKey, string>>;

interface Scenario {
  readonly about: string;
  readonly texts: Partial<LoadTexts>;
}

/** Every scenario that has a name. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  hd: {
    about: "video of 2.4 Mbit/s: 8 to 12 KB frames, groups of 2 s",
    texts: { viewers: "100", fps: "30", "frame-size": "8000:12000", "group-size": "60" },
  },
  sd: {
    about: "video of 0.8 Mbit/s: 3 to 4 KB frames, groups of 1 s",
    texts: { viewers: "200", fps: "25:30", "frame-size": "3000:4000", "group-size": "30" },
  },
  audio: {
    about: "50 one-frame groups a second of 200 bytes",
    texts: { viewers: "200", fps: "50", "frame-size": "200", "group-size": "1" },
  },
  chat: {
    about: "a room of 20 that all hear each other, short messages now and then",
    texts: {
      ...{ publishers: "20", viewers: "20", watch: "all", fps: "0.5:2" },
      ...{ "frame-size": "40:400", "group-size": "1" },
    },
  },
  announce: {
    about: "broadcasts that come and go, 20 a second, heard by all viewers",
    texts: { kind: "announce", publishers: "2", tracks: "50", viewers: "50", fps: "10" },
  },
  "late-join": {
    about: "viewers that come one after another into groups of 4 s, measured from the first on",
    texts: {
      ...{ viewers: "200", fps: "30", "frame-size": "4000", "group-size": "120" },
      ...{ ramp: "10s", duration: "12s", measure: "ramp" },
    },
  },
  churn: {
    about: "viewers that leave and come back after 2 to 6 s",
    texts: { viewers: "100", fps: "30", "frame-size": "1200", stay: "2s:6s", duration: "20s" },
  },
  "slow-viewers": {
    about: "every fifth viewer reads four times a second only; the others must not notice",
    texts: { viewers: "100", fps: "30", "frame-size": "10000", slow: "20", duration: "20s" },
  },
  idle: {
    about: "sessions that subscribe to nothing: what one costs",
    texts: { publishers: "0", tracks: "0", viewers: "500", fps: "0", duration: "5s", ramp: "5s" },
  },
};

/**
 * The numbers of a load: what is given, then the scenario's, then the defaults.
 * @param scenario The name of one, or a file of lines like "frame-size: 1200".
 * @throws {UsageError}
 */
export async function loadTexts(
  given: Partial<LoadTexts>,
  scenario: string | undefined,
): Promise<LoadTexts> {
  return { ...DEFAULTS, ...(scenario === undefined ? {} : await textsOf(scenario)), ...given };
}

async function textsOf(scenario: string): Promise<Partial<LoadTexts>> {
  if (Object.hasOwn(SCENARIOS, scenario)) return SCENARIOS[scenario]!.texts;
  try {
    return parseScenario(await Deno.readTextFile(scenario), scenario);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (/[./\\]/.test(scenario)) {
      throw new UsageError(`--scenario: cannot read ${scenario}: ${reasonOf(error)}`);
    }
    const names = Object.keys(SCENARIOS);
    throw new UsageError(
      `Unknown scenario "${scenario}"${didYouMean(scenario, names)}; there are ${
        names.join(", ")
      }, and files`,
    );
  }
}

/** Reads lines of "key: value"; "#" begins a comment. @throws {UsageError} */
export function parseScenario(text: string, file: string): Partial<LoadTexts> {
  const texts: Partial<Record<LoadKey, string>> = {};
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const bare = line.replace(/(^|\s)#.*$/, "").trim();
    if (bare === "") continue;
    const [, key = bare, value] = /^([\w-]+):\s*(?:"(.*)"|(.*))$/.exec(bare) ?? [];
    const known = LOAD_KEYS.find((k) => k === key);
    const at = `${file}:${i + 1}`;
    if (known === undefined) {
      throw new UsageError(`${at}: "${key}" is no key of a load${didYouMean(key, LOAD_KEYS)}`);
    }
    texts[known] = value ?? bare.slice(bare.indexOf(":") + 1).trim();
  }
  return texts;
}

/** Checks the numbers. @throws {UsageError} */
export function specOf(texts: LoadTexts): LoadSpec {
  const range = (key: LoadKey, what: string, read?: (text: string) => number | undefined) => {
    const found = parseRange(texts[key], read);
    if (found !== undefined) return found;
    throw new UsageError(`--${key} takes ${what}, or a range MIN:MAX; not "${texts[key]}"`);
  };
  const duration = (key: LoadKey) => {
    const ms = parseDurationMs(texts[key]);
    if (ms !== undefined) return ms;
    throw new UsageError(`--${key} takes a duration like 5s, not "${texts[key]}"`);
  };
  const one = <T extends string>(key: LoadKey, choices: readonly T[]): T => {
    const found = choices.find((choice) => choice === texts[key]);
    if (found !== undefined) return found;
    throw new UsageError(`--${key} takes ${choices.join(" or ")}, not "${texts[key]}"`);
  };
  const count = "a whole number";
  const frameSize = range("frame-size", "a size like 1200 or 4KB", parseSizeBytes);
  const groupSize = range("group-size", count);
  if (frameSize.min < STAMP_BYTES) {
    throw new UsageError(`--frame-size has to be ${STAMP_BYTES} bytes at least, for a timestamp`);
  }
  if (groupSize.min < 1) throw new UsageError("--group-size has to be 1 frame at least");
  const { max: slowPercent } = range("slow", "a percentage");
  if (slowPercent > 100) throw new UsageError("--slow takes a percentage from 0 to 100");
  const durationMs = duration("duration");
  if (durationMs < 1000) throw new UsageError("--duration has to be 1s at least");
  const stayMs: Range | undefined = texts.stay === ""
    ? undefined
    : range("stay", "a duration like 5s", parseDurationMs);
  return {
    kind: one("kind", ["media", "announce"]),
    publishers: range("publishers", count),
    tracks: range("tracks", count),
    viewers: range("viewers", count),
    watch: one("watch", ["one", "all"]),
    fps: range("fps", "a number", plainNumber),
    frameSize,
    groupSize,
    durationMs,
    rampMs: duration("ramp"),
    ...(stayMs === undefined ? {} : { stayMs }),
    slowPercent,
    measureRamp: one("measure", ["settled", "ramp"]) === "ramp" || stayMs !== undefined,
  };
}
