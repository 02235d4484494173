/**
 * SETUP: the legacy pair on the first bidirectional stream (01/02, shared with IETF draft-14) and the single message on
 * a unidirectional stream (05+). Spec: draft-lcurley-moq-lite-01 "SETUP", -05 "SETUP".
 *
 * @module
 */
import { Reader, Writer } from "../cursor.ts";
import type { ProtocolViolation } from "../errors.ts";
import { bigVarint, type Field } from "../message.ts";
import { cost } from "./fields.ts";

/** Stream types that open the legacy handshake. */
export const LEGACY_SETUP = { client: 0x20, server: 0x21 } as const;
/** Version numbers inside the legacy SETUP. */
export const LEGACY_VERSION = { lite01: 0xff0dad01, lite02: 0xff0dad02 } as const;

/** Parameter of the legacy SETUP: path and query of the URL, for transports without a URL. */
export const LEGACY_PATH = 1;

const MAX_PARAMETERS = 64;
/** Most bytes of SETUP: the path in it may carry a token. */
export const MAX_SETUP_BYTES = 16 << 10;
const utf8 = new TextEncoder();

/** Legacy parameters by key: an even key has a varint, an odd one bytes. */
export type LegacyParameters = ReadonlyMap<number, number | Uint8Array>;

function writeLegacyParameters(w: Writer, parameters: LegacyParameters): void {
  w.varint(parameters.size);
  for (const [key, value] of parameters) {
    w.varint(key);
    if (typeof value === "number") w.varint(value);
    else w.sized(value);
  }
}

function readLegacyParameters(r: Reader): LegacyParameters {
  const count = r.varint();
  if (count > MAX_PARAMETERS) throw r.fail(`${count} parameters, at most ${MAX_PARAMETERS}`);
  const out = new Map<number, number | Uint8Array>();
  for (let i = 0; i < count; i++) {
    const key = r.varint();
    if (out.has(key)) throw r.fail(`parameter ${key} stands twice`);
    // An even key may have a 62-bit value of a draft that we do not speak. It only has to be skipped.
    out.set(key, key % 2 === 0 ? Number(r.bigVarint()) : r.take(r.varint()).slice());
  }
  return out;
}

/** Adds the stream type and the legacy length: 16 bits, big-endian. */
function legacyFrame(type: number, body: Uint8Array): Uint8Array {
  const w = new Writer();
  w.varint(type);
  w.u16(body.length);
  w.put(body);
  return w.done();
}

/** The client's legacy SETUP with its stream type and length. `versions` has the preferred one first. */
export function encodeClientSetup(
  versions: readonly number[],
  parameters: LegacyParameters = new Map(),
): Uint8Array {
  const w = new Writer();
  w.varint(versions.length);
  for (const v of versions) w.varint(v);
  writeLegacyParameters(w, parameters);
  return legacyFrame(LEGACY_SETUP.client, w.done());
}

function readVersions(r: Reader): readonly number[] {
  const count = r.varint();
  if (count > MAX_PARAMETERS) throw r.fail(`${count} versions`);
  return Array.from({ length: count }, () => Number(r.bigVarint()));
}

/** The versions that a body begins with, whatever else is in it. @throws {ProtocolViolation} */
export function offeredVersions(body: Uint8Array): readonly number[] {
  return readVersions(new Reader(body, "CLIENT_SETUP"));
}

/** Reads the body behind type and length. @throws {ProtocolViolation} */
export function decodeClientSetup(body: Uint8Array): {
  readonly versions: readonly number[];
  readonly parameters: LegacyParameters;
} {
  const r = new Reader(body, "CLIENT_SETUP");
  const versions = readVersions(r);
  const parameters = readLegacyParameters(r);
  refuseLeftovers(r);
  return { versions, parameters };
}

/** The server's answer: the version it picked. */
export function encodeServerSetup(
  version: number,
  parameters: LegacyParameters = new Map(),
): Uint8Array {
  const w = new Writer();
  w.varint(version);
  writeLegacyParameters(w, parameters);
  return legacyFrame(LEGACY_SETUP.server, w.done());
}

/** Reads the body behind type and length. @throws {ProtocolViolation} */
export function decodeServerSetup(body: Uint8Array): {
  readonly version: number;
  readonly parameters: LegacyParameters;
} {
  const r = new Reader(body, "SERVER_SETUP");
  const version = Number(r.bigVarint());
  const parameters = readLegacyParameters(r);
  refuseLeftovers(r);
  return { version, parameters };
}

/** What a peer says about itself in SETUP (05+). */
export interface Setup {
  /** How the sender answers PROBE: 0 not at all, 1 with reports, 2 also by raising its rate to measure. */
  readonly probe?: number;
  /** Path and query of the URL, for transports without a URL. Client only. */
  readonly path?: string;
  /** 1 publisher, 2 subscriber. Client only. */
  readonly role?: number;
  /** The cost of a route over this session: 1 if absent, Infinity above 2^53-1. Dialer only. */
  readonly cost?: number;
  /** The sender's hop id; absent when unknown. */
  readonly hop?: bigint;
}

/** A number above 2^53-1 is read as 2^53-1. */
const rounded: Field<number> = {
  write: (w, v) => w.varint(v),
  read: (r) => Math.min(Number(r.bigVarint()), Number.MAX_SAFE_INTEGER),
};
const all: Field<string> = { write: (w, v) => w.put(utf8.encode(v)), read: (r) => r.rest() };

// deno-lint-ignore no-explicit-any
const PARAMETERS: Readonly<Record<number, readonly [keyof Setup, Field<any>]>> = {
  1: ["probe", rounded],
  2: ["path", all],
  3: ["role", rounded],
  4: ["cost", cost],
  5: ["hop", bigVarint],
};

/** The body of SETUP, without type and length. */
export function encodeSetup(setup: Setup): Uint8Array {
  const known = Object.entries(PARAMETERS).filter(([, [key]]) => setup[key] !== undefined);
  const w = new Writer();
  w.varint(known.length);
  for (const [id, [key, field]] of known) {
    const value = new Writer();
    field.write(value, setup[key]);
    w.varint(Number(id));
    w.sized(value.done());
  }
  return w.done();
}

/** Reads the body of SETUP. Unknown parameters are skipped. @throws {ProtocolViolation} */
export function decodeSetup(body: Uint8Array): Setup {
  const r = new Reader(body, "SETUP");
  const count = r.varint();
  if (count > MAX_PARAMETERS) throw r.fail(`${count} parameters, at most ${MAX_PARAMETERS}`);
  const seen = new Set<number>();
  const out: Record<string, unknown> = {};
  for (let i = 0; i < count; i++) {
    const id = r.varint();
    if (seen.has(id)) throw r.fail(`parameter ${id} stands twice`);
    seen.add(id);
    const value = new Reader(r.take(r.varint()), "SETUP parameter");
    const known = PARAMETERS[id];
    if (known === undefined) continue;
    out[known[0]] = known[1].read(value);
    refuseLeftovers(value);
  }
  refuseLeftovers(r);
  const { probe, hop, ...setup } = out as Setup;
  return {
    ...setup,
    ...(probe !== undefined && { probe: Math.min(2, probe) }),
    ...(hop !== undefined && hop !== 0n && { hop }),
  };
}

/** @throws {ProtocolViolation} */
function refuseLeftovers(r: Reader): void {
  if (r.left > 0) throw r.fail(`${r.left} bytes left after the last field`) as ProtocolViolation;
}
