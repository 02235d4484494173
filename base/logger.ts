/** The log that modules write to. Fields are flat and never hold a token. */
export interface Logger {
  /** Helps to find a fault. */
  debug(message: string, fields?: LogFields): void;
  /** An operator wants to know this. */
  info(message: string, fields?: LogFields): void;
  /** Something went wrong, and the program can handle it. */
  warn(message: string, fields?: LogFields): void;
  /** Something went wrong that should never happen. */
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger;
}

/** From the least to the most important. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The level of a log. It can change while the program runs. */
export interface LogLevelControl {
  /** The least important level that is written. */
  level: LogLevel;
}

/** Whether lines of `level` are written when `lowest` is the least important level that is. */
export function isLogged(level: LogLevel, lowest: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(lowest);
}

/** The data of a line. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes nothing: the default of a library without a logger. */
export const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silent,
};
