/**
 * ANNOUNCE in its three forms: suffix lists (01/02), one message with a status byte (01–05), typed messages with ids
 * (06). Spec: draft-lcurley-moq-lite-01 … -06, "ANNOUNCE". A number in a name here is the first version with that form.
 *
 * @module
 */
import { absent, bigVarint, listOf, message, varint } from "../message.ts";
import { announceStatus, cost, hopCount, hops, path, rootedPrefix } from "./fields.ts";

/**
 * ANNOUNCE_REQUEST, in older drafts ANNOUNCE_PLEASE and ANNOUNCE_INTEREST: asks for all broadcasts below a prefix. `excludeHop`
 * 0 excludes nothing.
 */
export const AnnounceRequest = message("ANNOUNCE_REQUEST", {
  prefix: rootedPrefix,
  excludeHop: absent<bigint>(0n),
});
/** In 04 and 05 the asker can exclude the routes through one hop. */
export const AnnounceRequest4 = message("ANNOUNCE_REQUEST", {
  prefix: rootedPrefix,
  excludeHop: bigVarint,
});

/**
 * Most paths in ANNOUNCE_INIT, and most bytes of it. It is the only message that is read entry by entry. Paths above these
 * limits are sent in messages of their own.
 */
export const MAX_INIT_PATHS = 65_536;
export const MAX_INIT_BYTES = 4 << 20;

/** ANNOUNCE_INIT (01/02): the whole current set. */
export const AnnounceInit = message("ANNOUNCE_INIT", {
  suffixes: listOf(path, MAX_INIT_PATHS),
}, MAX_INIT_BYTES);
/** ANNOUNCE_OK (05+): the hop id of who answers, and how many announcements follow at once. */
export const AnnounceOk = message("ANNOUNCE_OK", {
  hop: bigVarint,
  count: varint,
});

/** Most bytes of one announcement: a path, a chain of hops, and a few numbers. */
const MAX_ANNOUNCE_BYTES = 2 << 10;

/** Status bytes of ANNOUNCE up to 05. */
export const ANNOUNCE_STATUS = { ended: 0, active: 1, restart: 2 } as const;

export const Announce1 = message("ANNOUNCE", {
  status: announceStatus,
  suffix: path,
  hops: absent<readonly bigint[]>([]),
}, MAX_ANNOUNCE_BYTES);
export const Announce3 = message("ANNOUNCE", {
  status: announceStatus,
  suffix: path,
  hops: hopCount,
}, MAX_ANNOUNCE_BYTES);
export const Announce4 = message("ANNOUNCE", {
  status: announceStatus,
  suffix: path,
  hops,
}, MAX_ANNOUNCE_BYTES);

/** Types of the announce stream's messages from 06 on. */
export const ANNOUNCE_TYPE = { start: 0, end: 1, update: 2 } as const;

/** A new announcement. It gets the next id of its stream; ids count from 0. */
export const AnnounceStart = message("ANNOUNCE_START", {
  suffix: path,
  hops,
  warm: cost,
  cold: cost,
}, MAX_ANNOUNCE_BYTES);
export const AnnounceEnd = message("ANNOUNCE_END", { id: varint });
export const AnnounceUpdate = message("ANNOUNCE_UPDATE", {
  id: varint,
  hops,
  warm: cost,
  cold: cost,
}, MAX_ANNOUNCE_BYTES);
