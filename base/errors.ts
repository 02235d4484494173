/**
 * Base class of every error of this program. `code` is stable: logs, metrics and documents refer to it.
 * The message says what was tried, why it failed, and what to do, if there is something to do.
 */
export abstract class QumoError extends Error {
  /** Stable, for logs and programs: "QUMO_CONNECT_FAILED". */
  abstract readonly code: string;
  /** The name of the class. */
  override get name(): string {
    return this.constructor.name;
  }
}

/** The command line is wrong. The program ends with exit code 2. */
export class UsageError extends QumoError {
  readonly code = "QUMO_USAGE";
}

/** A text for anything that was thrown. Never empty. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return String(thrown) || "unknown error";
}
