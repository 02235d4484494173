/**
 * Deno's own OpenTelemetry, which `OTEL_DENO=true` switches on; see docs/opentelemetry.md. This file masks tokens in it and
 * gives it the log.
 *
 * @module
 */
import { masked } from "../../base/masking.ts";
import type { LogLevel } from "../../base/logger.ts";

/** The part of Deno's span that is used here. */
interface Span {
  setAttribute(name: string, value: unknown): void;
}

/** Whether Deno sends telemetry. */
export function telemetryIsOn(get: (name: string) => string | undefined = env): boolean {
  const isYes = (name: string) => /^(true|1)$/i.test(get(name) ?? "");
  return isYes("OTEL_DENO") && !isYes("OTEL_SDK_DISABLED");
}

const env = (name: string) => Deno.env.get(name);

/**
 * Masks tokens in the URLs of spans from now on, in this thread. Deno writes the whole URL of a request into its span, and
 * an attribute of a span cannot be removed. So it is masked when it is set.
 */
export function maskSpans(): void {
  // Never ended, so never sent.
  const span = Deno.telemetry.tracerProvider.getTracer("qumo-relay").startSpan("");
  const prototype: Span = Object.getPrototypeOf(span);
  const { setAttribute } = prototype;
  prototype.setAttribute = function (name, value) {
    setAttribute.call(this, name, typeof value === "string" ? maskedAttribute(name, value) : value);
  };
}

/** @param value For `url.query` the query without "?". */
export function maskedAttribute(name: string, value: string): string {
  return name === "url.query" ? masked(`?${value}`).slice(1) : masked(value);
}

/** Writes a line to the console, where Deno takes it for the telemetry. */
export function consoleLine(line: string, level: LogLevel): void {
  // deno-lint-ignore no-console
  console[level](line);
}
