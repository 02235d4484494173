/// <reference lib="dom" />
/** Keeps tokens out of the console, whose text people copy: the player's library names there the URL it dials. */
import { masked } from "../../base/masking.ts";

/** Masks tokens in every text that is logged from now on. What the browser itself logs is not reached. */
export function maskConsole(on: Console): void {
  for (const level of ["debug", "log", "info", "warn", "error"] as const) {
    const write = on[level].bind(on);
    on[level] = (...args: unknown[]) =>
      write(...args.map((arg) => typeof arg === "string" ? masked(arg) : arg));
  }
}
