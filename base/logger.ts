/** Where modules write what happened. Fields are flat and never hold a token. */
export interface Logger {
  /** What helps to find a fault. */
  debug(message: string, fields?: LogFields): void;
  /** What an operator wants to know. */
  info(message: string, fields?: LogFields): void;
  /** Something went wrong that the program copes with. */
  warn(message: string, fields?: LogFields): void;
  /** Something went wrong that should not. */
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** The level of a log, to be read and set while the program runs. */
export interface LogLevelControl {
  /** The least important lines that are written. */
  level: LogLevel;
}

/** From the least to the most important. */
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Whether lines of a level are written where `lowest` is the least important that is. */
export function isLogged(level: LogLevel, lowest: LogLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(lowest);
}

/** What a line is about. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Swallows everything: the default of a library that was given no logger. */
export const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silent,
};
