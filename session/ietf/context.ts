import { originOffers } from "../../relay/offers/origin_offers.ts";
import { CLOSE_REASONS, type CloseReason, STREAM_REASONS, type StreamReason } from "../reasons.ts";
import { type Codes, MAX_REASON, type Opening, SessionContext } from "../context.ts";
import type { Entry } from "../session.ts";
import { LateMessage, type Unfinished } from "../unfinished.ts";
import { provideBridge } from "../convert/bridge.ts";
import { copyOf } from "../convert/convert.ts";
import type { ObjectLayout } from "../convert/layouts.ts";
import { sessionCode, streamCode } from "../../wire/ietf/codes.ts";
import { type Dialect, dialectOf } from "../../wire/ietf/dialect.ts";
import type { ProtocolViolation } from "../../wire/errors.ts";
import { Fault } from "./fault.ts";
import { RequestRights } from "./request_rights.ts";
import type { Profile } from "../../wire/ietf/profile.ts";

/** The codes of a draft for each reason. */
export function codesOf(profile: Profile): Codes {
  let found = CODES.get(profile);
  if (found === undefined) {
    found = {
      session: table<CloseReason>(CLOSE_REASONS, (reason) => sessionCode(profile, reason)),
      stream: table<StreamReason>(STREAM_REASONS, (reason) => streamCode(profile, reason)),
    };
    CODES.set(profile, found);
  }
  return found;
}

const CODES = new Map<Profile, Codes>();

/** The layout of a draft's objects on the streams of subgroups. */
export function layoutOf({ pairDeltas, requestStreams }: Profile): ObjectLayout {
  // Drafts with streams for requests write their own kind of integers.
  return requestStreams ? "objects18" : pairDeltas ? "objects16" : "objects14";
}

/** What all parts of a session of moq-transport share. */
export class IetfContext extends SessionContext {
  readonly dialect: Dialect;
  readonly rights: RequestRights;

  constructor(readonly profile: Profile, opening: Opening, entry: Entry, unfinished: Unfinished) {
    super(codesOf(profile), opening, entry, unfinished);
    this.dialect = dialectOf(profile);
    this.rights = new RequestRights(this, entry.authorize);
    // What the core has for moq-transport alone comes with its first session.
    provideBridge(copyOf);
    this.serve?.allowOffers(originOffers);
    this.consume?.allowOffers(originOffers);
  }

  /** Closes the session with the draft's own code for what is wrong. */
  override violated(error: ProtocolViolation): void {
    const word = error instanceof Fault
      ? error.word
      : error instanceof LateMessage
      ? "controlTimeout"
      : "protocolViolation";
    this.log.warn("session closed: protocol violation", { reason: error.message });
    this.close(sessionCode(this.profile, word), error.message.slice(0, MAX_REASON));
  }
}

function table<R extends string>(
  reasons: readonly R[],
  code: (reason: R) => number,
): Readonly<Record<R, number>> {
  return Object.fromEntries(reasons.map((reason) => [reason, code(reason)])) as Record<R, number>;
}
