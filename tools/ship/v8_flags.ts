/**
 * How V8 is set for the relay. New objects get 4 MiB at a time in place of 16: they are few and live short, and with the
 * default 30 MB more stay resident under load, for no less CPU (docs/performance.md). The same stands in deno.json's `dev`.
 */
export const V8_FLAGS = "--v8-flags=--max-semi-space-size=4";
