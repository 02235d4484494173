/**
 * Runs the steps of an interop scenario one after another and says how each went: a line a step, or TAP 14.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { formatDuration } from "../../base/units.ts";
import { print } from "../shell/output.ts";

/** The result of a step that did not throw: a note for its line, or why it was skipped. */
export type StepResult = string | void | { readonly skip: string };

/** One step of a scenario; `S` is what the steps share. */
export interface Step<S> {
  readonly name: string;
  /** Steps without which this one makes no sense. */
  readonly needs?: readonly string[];
  /** A person has to start the other side: the step has no time limit. */
  readonly patient?: boolean;
  /** What it means when the time is up. */
  readonly late?: string;
  /** The session may end during it. */
  readonly ends?: boolean;
  run(shared: S): Promise<StepResult> | StepResult;
}

export interface RunStepsOptions {
  readonly tap: boolean;
  /** Longest time of one step, in milliseconds. */
  readonly timeoutMs: number;
  /** Its rejection ends the running step with the same error. */
  readonly lost: Promise<never>;
}

interface Outcome {
  readonly kind: "ok" | "failed" | "skipped" | "not run";
  readonly note: string;
}

/**
 * Runs every step whose `needs` went well.
 * @returns Whether no step failed. One that was left out because of another counts as failed.
 */
export async function runSteps<S>(
  steps: readonly Step<S>[],
  shared: S,
  options: RunStepsOptions,
): Promise<boolean> {
  const outcomes = new Map<string, Outcome>();
  if (options.tap) print(`TAP version 14\n1..${steps.length}`);
  for (const [index, step] of steps.entries()) {
    const startedMs = performance.now();
    const missing = step.needs?.find((name) => outcomes.get(name)?.kind !== "ok");
    const outcome: Outcome = missing === undefined
      ? await runStep(step, shared, options)
      : { kind: "not run", note: `it needs "${missing}"` };
    outcomes.set(step.name, outcome);
    const ms = Math.round(performance.now() - startedMs);
    if (options.tap) print(tapOf(index + 1, step.name, outcome, ms));
    else if (outcome.kind !== "not run") print(lineOf(step.name, outcome));
  }
  const left = [...outcomes].filter(([, { kind }]) => kind === "not run").map(([name]) => name);
  if (left.length > 0 && !options.tap) print(`Not run: ${left.join(", ")}`);
  return [...outcomes.values()].every(({ kind }) => kind === "ok" || kind === "skipped");
}

async function runStep<S>(step: Step<S>, shared: S, options: RunStepsOptions): Promise<Outcome> {
  const { timeoutMs, lost } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    if (step.patient) return;
    const why = step.late === undefined ? "" : `: ${step.late}`;
    const error = new Error(`no answer within ${formatDuration(timeoutMs)}${why}`);
    timer = setTimeout(() => reject(error), timeoutMs);
  });
  try {
    const over = step.ends ? [] : [lost];
    const result = await Promise.race([step.run(shared), late, ...over]);
    if (typeof result === "object") return { kind: "skipped", note: result.skip };
    return { kind: "ok", note: result ?? "" };
  } catch (error) {
    return { kind: "failed", note: reasonOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

function lineOf(name: string, { kind, note }: Outcome): string {
  const end = kind !== "ok" ? `: ${note}` : note === "" ? "" : ` (${note})`;
  return `${name}...${kind}${end}`;
}

function tapOf(number: number, name: string, { kind, note }: Outcome, ms: number): string {
  if (kind === "skipped") return `ok ${number} - ${name} # SKIP ${oneLine(note)}`;
  if (kind === "not run") note = `not run: ${note}`;
  const message = note === "" ? [] : [`  message: ${JSON.stringify(note)}`];
  const head = `${kind === "ok" ? "ok" : "not ok"} ${number} - ${name}`;
  return [head, "  ---", `  duration_ms: ${ms}`, ...message, "  ..."].join("\n");
}

/** A directive ends with its line. A "#" would begin another one. */
const oneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, "; ").replaceAll("#", "\\#");
