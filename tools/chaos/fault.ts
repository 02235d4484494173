import type { RelayProgram } from "../../tests/support/program.ts";
import type { Cost, Outcome } from "./outcome.ts";

/** The relay that a fault is for. Killed when it goes out of scope. */
export type Target = Pick<RelayProgram, "url" | "port" | "adminUrl" | "hash"> & AsyncDisposable;

/** Where a fault is applied. */
export interface Stage {
  readonly relay: Target;
  /** The broadcast of the honest publisher, and its track. */
  readonly honest: { readonly broadcast: string; readonly track: string };
  /** Aborts when the fault has lasted long enough. */
  readonly signal: AbortSignal;
  /** What the random parts draw from. */
  readonly seed: number;
  /** 1 in the table; less where it has to be over soon. */
  readonly scale: number;
  /** Takes what the peers of this fault cost the relay. */
  readonly tell: (cost: Cost) => void;
}

/** What the relay suffers while honest peers use it. */
export interface Fault {
  readonly name: string;
  /** For the table. */
  readonly what: string;
  /** The counters that should tell of it. */
  readonly counters: readonly string[];
  /** How many times as long as the others. */
  readonly length?: number;
  /** Starts a relay that is not the usual one. */
  readonly open?: () => Promise<Target>;
  /** Goes on until the signal aborts, and leaves nothing behind. @returns What it did, in numbers, for the table. */
  run(stage: Stage): Promise<string>;
}

/** A fault that takes the relay itself away. It cannot run beside an ordinary load. */
export interface WholeFault {
  readonly name: string;
  readonly whole: (seconds: number) => Promise<Outcome>;
}
