/**
 * Base of every failure this program names. `code` is stable: logs, metrics and docs key on it.
 * The message says what was tried, why it failed, and what to do where there is something to do.
 */
export abstract class QumoError extends Error {
  /** Stable, for logs and programs: "QUMO_CONNECT_FAILED". */
  abstract readonly code: string;
  /** The name of the class. */
  override get name(): string {
    return this.constructor.name;
  }
}

/** A command line that cannot be understood; the program ends with code 2. */
export class UsageError extends QumoError {
  readonly code = "QUMO_USAGE";
}

/** The text of anything that was thrown; never empty. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return String(thrown) || "unknown error";
}
