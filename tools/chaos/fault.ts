import type { RelayProgram } from "../../tests/support/program.ts";
import type { Cost, Outcome } from "./outcome.ts";

/** The relay that a fault is applied to. It is killed when it goes out of scope. */
export type Target = Pick<RelayProgram, "url" | "port" | "adminUrl" | "hash"> & AsyncDisposable;

/** Where a fault is applied. */
export interface Stage {
  readonly relay: Target;
  /** The broadcast of the honest publisher, and its track. */
  readonly honest: { readonly broadcast: string; readonly track: string };
  /** Aborts when the fault has lasted long enough. */
  readonly signal: AbortSignal;
  /** The seed of the random parts. */
  readonly seed: number;
  /** 1 in the table, less where it has to be short. */
  readonly scale: number;
  /** Records what the peers of this fault cost the relay. */
  readonly tell: (cost: Cost) => void;
}

/** What the relay suffers while honest peers use it. */
export interface Fault {
  readonly name: string;
  /** Its text in the table. */
  readonly what: string;
  /** The counters that should count it. */
  readonly counters: readonly string[];
  /** How many times as long as other faults it lasts. */
  readonly length?: number;
  /** Starts a relay of its own, if the usual one does not fit. */
  readonly open?: () => Promise<Target>;
  /** Goes on until the signal aborts, and leaves nothing behind. @returns What it did, in numbers, for the table. */
  run(stage: Stage): Promise<string>;
}

/** A fault that takes the relay itself away. It cannot run beside an ordinary load. */
export interface WholeFault {
  readonly name: string;
  readonly whole: (seconds: number) => Promise<Outcome>;
}
