import { type Codes, type Opening, SessionContext } from "../context.ts";
import type { Entry } from "../session.ts";
import type { Unfinished } from "../unfinished.ts";
import { SESSION_CODE, STREAM_CODE } from "../../wire/lite/codes.ts";
import type { Dialect } from "../../wire/lite/dialect.ts";
import type { Setup } from "../../wire/lite/setup.ts";

/** The codes of moq-lite for each reason. */
export const LITE_CODES: Codes = { session: SESSION_CODE, stream: STREAM_CODE };

/** Most that the price of a link counts that the peer names. */
const MAX_LINK_COST = 1_000_000;

/** What all parts of a session of moq-lite share. */
export class LiteContext extends SessionContext {
  /** Fulfils when the peer has sent its SETUP, or at once if the version has none. Never rejects. */
  readonly peerKnown: Promise<void>;
  /** Fulfils {@link LiteContext.peerKnown}. Idempotent. */
  readonly setPeerKnown: () => void;
  /** Whether {@link LiteContext.peerKnown} has fulfilled. */
  isPeerKnown = false;
  peerSetup: Setup = {};
  readonly #linkCost: number | undefined;

  constructor(
    readonly dialect: Dialect,
    opening: Opening,
    entry: Entry,
    unfinished: Unfinished,
  ) {
    super(LITE_CODES, opening, entry, unfinished);
    this.#linkCost = opening.linkCost;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.peerKnown = promise;
    this.setPeerKnown = () => {
      this.isPeerKnown = true;
      resolve();
    };
  }

  /**
   * The cost of this link. It is added to the cost of the peer's routes. Without one of our own it is what the peer says, within
   * bounds: a stranger makes its routes no cheaper by it.
   */
  get linkCost(): number {
    const said = Math.min(this.peerSetup.cost ?? 1, MAX_LINK_COST);
    return this.#linkCost ?? (this.peer ? said : Math.max(1, said));
  }
}
