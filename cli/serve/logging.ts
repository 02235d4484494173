import {
  configureSync,
  getLogger,
  type Logger as TapLogger,
  type LogLevel as TapLevel,
  type LogRecord,
} from "@logtape/logtape";
import {
  isLogged,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogLevelControl,
} from "../../base/logger.ts";
import { shortened, visible } from "../../base/visible_text.ts";
import type { Config } from "../../config/schema.ts";
import { say } from "../shell/output.ts";
import { consoleLine, telemetryIsOn } from "./telemetry.ts";

export interface LoggingOptions {
  readonly level: Config["logging"]["level"];
  readonly format: "pretty" | "json";
  readonly color?: boolean;
  /** Writes one line. Default: standard error, or the console where Deno takes telemetry from. */
  readonly write?: (line: string, level: LogLevel) => void;
}

/** What `auto` means here, and whether the terminal wants colours (https://no-color.org). */
export function formatFor(format: Config["logging"]["format"]): Pick<
  LoggingOptions,
  "format" | "color"
> {
  const terminal = Deno.stderr.isTerminal();
  return {
    format: format === "auto" ? (terminal ? "pretty" : "json") : format,
    color: terminal && !Deno.env.get("NO_COLOR"),
  };
}

/** Sets up the log of the program and the control of its level. A second call replaces the first. */
export function startLogging(options: LoggingOptions): Logger & LogLevelControl {
  const { level, format, color = false, write = telemetryIsOn() ? consoleLine : say } = options;
  const line = format === "json" ? jsonLine : prettyLine(color);
  configureSync({
    reset: true,
    sinks: { out: (record: LogRecord) => write(line(record), NAMES[record.level]) },
    loggers: [
      { category: ["qumo"], sinks: ["out"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: ["out"], lowestLevel: "error" },
    ],
  });
  const control: LogLevelControl = { level };
  return Object.assign(control, adapt(getLogger(["qumo"]), control));
}

function adapt(tap: TapLogger, control: LogLevelControl): Logger {
  const log =
    (level: "debug" | "info" | "warn" | "error") => (message: string, fields?: LogFields) => {
      if (isLogged(level, control.level)) tap[level](literal(message), { ...fields });
    };
  return {
    debug: log("debug"),
    info: log("info"),
    warn: log("warn"),
    error: log("error"),
    with: (fields: LogFields) => adapt(tap.with({ ...fields }), control),
  };
}

/** The library takes braces for placeholders. Our messages have none. */
const literal = (message: string) => message.replace(/[{}]/g, "$&$&");

const NAMES: Readonly<Record<TapLevel, LogLevel>> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  warning: "warn",
  error: "error",
  fatal: "error",
};

const textOf = (record: LogRecord) => record.message.map(String).join("");

/** One JSON object: time, level, message, then the fields. */
function jsonLine(record: LogRecord): string {
  const head = {
    time: new Date(record.timestamp).toISOString(),
    level: NAMES[record.level],
    message: textOf(record),
  };
  return JSON.stringify({ ...head, ...record.properties, ...head });
}

const COLORS: Readonly<Record<string, string>> = {
  debug: "90",
  info: "36",
  warn: "33",
  error: "31",
};

/** "12:00:01.123 info  a session began  peer=127.0.0.1:5000 version=moq-lite-05". */
function prettyLine(color: boolean): (record: LogRecord) => string {
  return (record) => {
    const time = new Date(record.timestamp).toISOString().slice(11, 23);
    const level = NAMES[record.level]!;
    const paint = (text: string, code: string) => color ? `\x1b[${code}m${text}\x1b[0m` : text;
    const fields = Object.entries(record.properties)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${paint(`${name}=`, "90")}${fieldText(value)}`);
    const head = `${paint(time, "90")} ${paint(level.padEnd(5), COLORS[level]!)}`;
    return [`${head} ${visible(textOf(record))}`, ...fields].join("  ").trimEnd();
  };
}

const fieldText = (value: unknown) => {
  const text = String(value);
  const shown = shortened(visible(text), text.includes(" ") ? MAX_SENTENCE : MAX_WORD);
  // A backslash before a "u" belongs to an escaped character.
  return /^[\w./:@[\]+-]+$/.test(text) ? shown : `"${shown.replace(/"|\\(?!u)/g, "\\$&")}"`;
};

/** Shortens long names in the middle. JSON has the whole name. */
const MAX_WORD = 200;
const MAX_SENTENCE = 1000;
