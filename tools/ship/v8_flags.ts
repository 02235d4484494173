/**
 * The relay's V8 options. New objects get 4 MiB at a time in place of 16, because they are few and short-lived. With the
 * default, 30 MB more stay resident under load, for no less CPU (docs/performance.md). `dev` in deno.json has the same.
 */
export const V8_FLAGS = "--v8-flags=--max-semi-space-size=4";
