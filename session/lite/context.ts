import { type Codes, type Opening, SessionContext } from "../context.ts";
import type { Entry } from "../session.ts";
import type { Unfinished } from "../unfinished.ts";
import { SESSION_CODE, STREAM_CODE } from "../../wire/lite/codes.ts";
import type { Dialect } from "../../wire/lite/dialect.ts";
import type { Setup } from "../../wire/lite/setup.ts";

/** The codes of moq-lite for each reason. */
export const LITE_CODES: Codes = { session: SESSION_CODE, stream: STREAM_CODE };

/** What all parts of a session of moq-lite share. */
export class LiteContext extends SessionContext {
  /** Fulfils when the peer has sent its SETUP, or at once if the version has none. Never rejects. */
  readonly peerKnown: Promise<void>;
  /** Fulfils {@link LiteContext.peerKnown}. Idempotent. */
  readonly setPeerKnown: () => void;
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
    this.setPeerKnown = resolve;
  }

  /** The cost of this link. It is added to the cost of the peer's routes. */
  get linkCost(): number {
    return this.#linkCost ?? this.peerSetup.cost ?? 1;
  }
}
