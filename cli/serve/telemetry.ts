/**
 * Deno's own OpenTelemetry, where `OTEL_DENO=true` switches it on: which spans, logs and metrics it sends is in
 * docs/opentelemetry.md. Here it is kept from sending tokens, and is given the log.
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
 * Masks the tokens in the URLs of spans from now on, in this thread. Deno writes the whole URL of a request into its span
 * before anybody else sees it, and what a span has been told cannot be taken back; so it is masked as it is told.
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

/** @param value Of `url.query` it is the query alone, without its "?". */
export function maskedAttribute(name: string, value: string): string {
  return name === "url.query" ? masked(`?${value}`).slice(1) : masked(value);
}

/** Writes a line through the console, from where Deno takes it into the telemetry; to standard output or error. */
export function consoleLine(line: string, level: LogLevel): void {
  // deno-lint-ignore no-console
  console[level](line);
}
