/**
 * What the parameters of messages say: one value for all drafts.
 *
 * @module
 */
import type { GroupOrder, Location, Token } from "./fields.ts";
import type { Filter, RangeFilter } from "./filter.ts";
import type { Namespace } from "./names.ts";

/** What requests and answers say beside their fields. Absent is what the draft takes for the default, or "as before". */
export interface Parameters {
  /** How long an object may be on its way. */
  readonly deliveryTimeoutMs?: number;
  readonly subgroupTimeoutMs?: number;
  readonly tokens?: readonly Token[];
  /** How long to wait for a publisher to come. */
  readonly rendezvousTimeoutMs?: number;
  /** How long objects may be kept (14, 15). */
  readonly maxCacheMs?: number;
  /** When the sender is going to end the subscription; 0 is never. */
  readonly expiresMs?: number;
  /** The largest location the publisher has of the track. Absent: it has no object. */
  readonly largest?: Location;
  readonly fillTimeoutMs?: number;
  /** 0 goes first; 128 when absent (15). */
  readonly publisherPriority?: number;
  /** Whether objects are sent; when absent they are. */
  readonly forward?: boolean;
  /** The subscriber's. 0 goes first; 128 when absent. */
  readonly priority?: number;
  readonly filter?: Filter;
  readonly groupOrder?: GroupOrder;
  /** Asks for what is there already, on a fetch stream (20+). */
  readonly fill?: Parameters;
  readonly rangeFilters?: readonly RangeFilter[];
  /** Whether a subscriber may ask for a new group (15). */
  readonly dynamicGroups?: boolean;
  /** Asks for a new group: the largest that is known and one more, 0 when none is. */
  readonly newGroup?: number;
  /** The new prefix of a subscription to namespaces or tracks. */
  readonly prefix?: Namespace;
  /** Whether the answer should have the track's properties; when absent it should. */
  readonly includeProperties?: boolean;
}
export type ParameterKey = keyof Parameters;
