/**
 * What can be wrong with a plugin before it runs.
 *
 * @module
 */
import { QumoError, reasonOf } from "../base/errors.ts";
import { masked } from "../base/masking.ts";

/** One thing wrong with the options of an instance. */
export interface OptionProblem {
  /** Keys and places in lists that lead to it: `["renditions", 0, "width"]`. Empty: the options as a whole. */
  readonly path: readonly (string | number)[];
  /** The key is wrong rather than its value. */
  readonly key?: boolean;
  /** What is wrong and what is expected; holds no secret. */
  readonly message: string;
}

/** The options of an instance are wrong: it cannot run until they are changed. */
export class PluginOptionsWrong extends QumoError {
  readonly code = "QUMO_PLUGIN_OPTIONS";
  constructor(readonly problems: readonly OptionProblem[]) {
    const lines = problems.map(({ path, message }) =>
      path.length === 0 ? message : `${path.join(".")}: ${message}`
    );
    super(`Cannot use these options: ${lines.join("; ")}`);
  }
}

/** No plugin has that name. */
export class PluginUnknown extends QumoError {
  readonly code = "QUMO_PLUGIN_UNKNOWN";
}

/** A plugin's module cannot be loaded, or is none. */
export class PluginLoadFailed extends QumoError {
  readonly code = "QUMO_PLUGIN_LOAD";
}

/** Another instance, or the relay itself, answers HTTP requests there. */
export class PathTaken extends QumoError {
  readonly code = "QUMO_PLUGIN_PATH_TAKEN";
}

/** A plugin did not start or end in time. */
export class PluginTooSlow extends QumoError {
  readonly code = "QUMO_PLUGIN_TOO_SLOW";
}

/** The problems of an error that means wrong options. A module may bring a class of its own, so the code counts. */
export function optionProblems(thrown: unknown): readonly OptionProblem[] | undefined {
  if (thrown instanceof PluginOptionsWrong) return thrown.problems;
  const { code, problems } = (thrown ?? {}) as { code?: unknown; problems?: unknown };
  if (code !== "QUMO_PLUGIN_OPTIONS") return undefined;
  return Array.isArray(problems) ? problems : [{ path: [], message: safeReason(thrown) }];
}

const LONGEST_REASON = 500;

/** What plugin code threw, as a text for people: never empty, of bounded length, without the passwords of URLs. */
export function safeReason(thrown: unknown): string {
  let text: string;
  try {
    text = String(reasonOf(thrown));
  } catch {
    text = "something that cannot be shown was thrown";
  }
  text = masked(text);
  return text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON)}…` : text;
}
