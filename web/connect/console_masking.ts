/// <reference lib="dom" />
/** Keeps tokens out of the console, whose text people copy. The player's library writes the URL it dials there. */
import { masked } from "../../base/masking.ts";

/** Masks tokens in every text that is logged from now on. It cannot reach what the browser itself logs. */
export function maskConsole(on: Console): void {
  for (const level of ["debug", "log", "info", "warn", "error"] as const) {
    const write = on[level].bind(on);
    on[level] = (...args: unknown[]) =>
      write(...args.map((arg) => typeof arg === "string" ? masked(arg) : arg));
  }
}
