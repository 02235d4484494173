/**
 * What is claimed of a relay between peers of moq-transport, and how each claim is tried on a stage.
 *
 * @module
 */
import type { Draft } from "../../wire/ietf/profile.ts";
import type { Stage } from "../support/peers/ietf_stage.ts";

/** Which draft the publisher speaks, and which the viewer. */
export interface Pair {
  readonly from: Draft;
  readonly to: Draft;
}

/** One sentence about the relay. */
export interface Claim {
  readonly says: string;
  /** Where it is tried; everywhere if absent. */
  readonly when?: (pair: Pair, stage: Stage) => boolean;
  /** Fails unless it is true. */
  readonly run: (stage: Stage, pair: Pair) => Promise<void>;
}

/** Tries each claim with each pair of drafts on one stage. */
export async function tryAll(
  t: Deno.TestContext,
  stage: Stage,
  claims: readonly Claim[],
  pairs: readonly Pair[],
): Promise<void> {
  for (const claim of claims) {
    for (const pair of pairs) {
      if (claim.when?.(pair, stage) === false) continue;
      await t.step(`${pair.from} to ${pair.to}: ${claim.says}`, () => claim.run(stage, pair));
      await stage.clear();
    }
  }
}
