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

/** Parameter of the legacy SETUP: path and query of the URL, where the transport carries none. */
export const LEGACY_PATH = 1;

const MAX_PARAMETERS = 64;
/** Most bytes of SETUP: the path in it may carry a token. */
export const MAX_SETUP_BYTES = 16 << 10;
const utf8 = new TextEncoder();

/** A legacy parameter: a varint under an even key, bytes under an odd one. */
export type LegacyParameters = ReadonlyMap<number, number | Uint8Array>;

function writeLegacyParameters(w: Writer, parameters: LegacyParameters): void {
  w.varint(parameters.size);
  for (const [key, value] of parameters) {
    w.varint(key);
    if (typeof value === "number") w.varint(value);
    else {
      w.varint(value.length);
      w.put(value);
    }
  }
}

function readLegacyParameters(r: Reader): LegacyParameters {
  const count = r.varint();
  if (count > MAX_PARAMETERS) throw r.fail(`${count} parameters, at most ${MAX_PARAMETERS}`);
  const out = new Map<number, number | Uint8Array>();
  for (let i = 0; i < count; i++) {
    const key = r.varint();
    if (out.has(key)) throw r.fail(`parameter ${key} stands twice`);
    // Even keys may hold 62-bit values of drafts we do not speak; they only have to be stepped over.
    out.set(key, key % 2 === 0 ? Number(r.bigVarint()) : r.take(r.varint()).slice());
  }
  return out;
}

/** Adds the legacy form's own length: 16 bits, big-endian. */
function legacyFrame(type: number, body: Uint8Array): Uint8Array {
  const w = new Writer();
  w.varint(type);
  w.u16(body.length);
  w.put(body);
  return w.done();
}

/** The client's legacy SETUP with its stream type and length: versions, preferred first. */
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

/** Reads the body behind type and length. @throws {ProtocolViolation} */
export function decodeClientSetup(body: Uint8Array): {
  readonly versions: readonly number[];
  readonly parameters: LegacyParameters;
} {
  const r = new Reader(body, "CLIENT_SETUP");
  const count = r.varint();
  if (count > MAX_PARAMETERS) throw r.fail(`${count} versions`);
  const versions = Array.from({ length: count }, () => Number(r.bigVarint()));
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

/** What a peer says of itself in SETUP (05+). */
export interface Setup {
  /** How far the sender answers PROBE: 0 not, 1 reports, 2 raises its rate to find out. */
  readonly probe?: number;
  /** Path and query of the URL, where the transport carries none. Client only. */
  readonly path?: string;
  /** 1 publisher, 2 subscriber. Client only. */
  readonly role?: number;
  /** What a route over this link costs; 1 when absent, Infinity above 2^53-1. Dialer only. */
  readonly cost?: number;
  /** The sender's hop id; absent when unknown. */
  readonly hop?: bigint;
}

/** Numbers above 2^53-1 are read as that. */
const rounded: Field<number> = {
  write: (w, v) => w.varint(v),
  read: (r) => Math.min(Number(r.bigVarint()), Number.MAX_SAFE_INTEGER),
};
const all: Field<string> = { write: (w, v) => w.put(utf8.encode(v)), read: (r) => r.rest() };

/** The parameters by their ids. */
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
    w.varint(value.length);
    w.put(value.done());
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
