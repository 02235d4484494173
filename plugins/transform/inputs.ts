/**
 * Which broadcasts a transform works on, and how it names its output.
 *
 * @module
 */
import { integer, list, text } from "../../config/fields.ts";
import type { OptionProblem } from "../errors.ts";
import { eachBroadcast } from "../live_set.ts";
import type { LiveMedia } from "../../media/broadcast/live_media.ts";
import type { PluginContext } from "../plugin.ts";
import { isPlainPattern, matcherOf } from "../../wire/path_pattern.ts";

const NAME = "{name}";

/** The options that every transform has. @param output The default name of the output. */
export function broadcastOptions(output: string) {
  return {
    input: text(
      "Path of the broadcast that is taken, or a pattern of several: `*` is one part of a path, `**` at its end any number.",
      { example: "cam" },
    ),
    output: text("What is made of it: `{name}` stands for the path of the input.", {
      byDefault: output,
    }),
    exclude: list(
      'a list of patterns like "live/**"',
      isPlainPattern,
      "Broadcasts that are left alone, such as what other transforms make.",
    ),
    max_broadcasts: integer(
      { min: 1, max: 1000, byDefault: 8 },
      "Inputs of a pattern that are worked on at one time; those beyond wait.",
    ),
  };
}

/** Those options, as they are read. */
export interface Names {
  readonly input: string;
  readonly output: string;
  readonly exclude: readonly string[];
  readonly maxBroadcasts: number;
}

/** What is wrong with the names: the output would be the input, or all inputs would have the same output. */
export function nameProblems({ input, output }: Names): OptionProblem[] {
  const wrong = (key: string, message: string) => [{ path: [key], message }];
  if (!isPlainPattern(input)) {
    return wrong("input", 'expected a path like "cam" or a pattern like "live/*" or "**"');
  }
  const many = input.includes("*");
  if (many && !output.includes(NAME)) {
    return wrong("output", `expected a name with ${NAME} in it: the input is a pattern of several`);
  }
  if (outputOf(output, many ? "a" : input) === (many ? "a" : input)) {
    return wrong("output", "expected another name than the input's");
  }
  if (/^\/|\/$|\/\//.test(output) || /[*]/.test(output)) {
    return wrong("output", `expected a path like "${NAME}-new"`);
  }
  return [];
}

/** The name of the output for a broadcast of this name. */
export function outputOf(template: string, name: string): string {
  return template.replaceAll(NAME, name);
}

/** Whether a name may come from the template: a transform never takes its own output. */
function isOutput(template: string, name: string): boolean {
  const [before = "", after = ""] = template.split(NAME);
  return template.includes(NAME)
    ? name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after)
    : name === template;
}

/** The work on one broadcast. */
export interface Job {
  readonly live: LiveMedia;
  readonly input: string;
  readonly output: string;
  /** Aborts when the instance ends. `live.gone` tells when the input has gone. */
  readonly signal: AbortSignal;
  /** Sets the status of this broadcast. */
  status(text: string | undefined): void;
}

/**
 * Runs `work` for every broadcast that matches, from its announcement until it is gone. Fulfils when the instance has to end.
 * @throws What `work` throws, where there is one input. With a pattern, only the input that failed is tried again.
 */
export async function eachInput(
  ctx: PluginContext,
  { input, output, exclude, maxBroadcasts }: Names,
  work: (job: Job) => Promise<void>,
): Promise<void> {
  const [takes, leavesAlone] = [matcherOf([input]), matcherOf(exclude)];
  const prefix = input.slice(0, input.search(/\*|$/));
  await eachBroadcast(
    ctx,
    {
      wanted: (path) => takes(path) && !isOutput(output, path) && !leavesAlone(path),
      prefix: prefix.slice(0, prefix.lastIndexOf("/") + 1).replace(/\/$/, ""),
      maxBroadcasts,
      everyones: () => !input.includes("*"),
      idle: `waiting for ${input}`,
    },
    (live, signal, status) =>
      work({ live, input: live.path, output: outputOf(output, live.path), signal, status }),
  );
}
