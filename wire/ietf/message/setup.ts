/**
 * SETUP: the pair of the client's and the server's (up to 16), and the one that both send (17+).
 * Spec: draft-ietf-moq-transport-14 … -19, "SETUP".
 *
 * @module
 */
import { Reader, Writer } from "../../cursor.ts";
import { absent, type Field, listOf, type Message } from "../../message.ts";
import { MAX_VARINT } from "../../varint.ts";
import { type Token, token } from "../fields.ts";
import { type Pair, readPairs, writePairs } from "../pairs.ts";
import type { Profile } from "../profile.ts";
import { declare } from "./parts.ts";
import { capped, type WideInteger } from "../integers.ts";

/** What an endpoint says of itself. Options that nobody here knows are stepped over. */
export interface SetupOptions {
  /** Path and query of the URL; from the client, where the transport carries none. */
  readonly path?: string;
  /** The host asked for, with its port; from the client, where the transport carries none. */
  readonly authority?: string;
  /** The first request number that the peer may not use; 0 when absent (up to 16). */
  readonly maxRequestId?: number;
  readonly tokens?: readonly Token[];
  /** Bytes of tokens that the peer may give aliases to; 0 when absent: it may not. */
  readonly maxTokenCacheBytes?: number;
  /** Ranges of filters that a request may have; 0 when absent (19+). */
  readonly maxFilterRanges?: number;
  /** Which program this is, and of which version. */
  readonly implementation?: string;
  /** Updates of a request that may be under way; 0 and absent: any number (19+). */
  readonly maxRequestUpdates?: number;
}

/** SETUP. Versions are numbers, preferred first; the server names one. From 15 on there are none. */
export interface Setup {
  readonly versions: readonly number[];
  readonly options: SetupOptions;
}

const MAX_VERSIONS = 64;
const MAX_TEXT_BYTES = 8_192;
const utf8 = new TextEncoder();
const lenient = new TextDecoder();

interface Option {
  readonly type: number;
  readonly key: keyof SetupOptions;
  /** A label is text that nobody relies on: broken UTF-8 is no reason to end the session. */
  readonly as: "number" | "text" | "label" | "token";
}
/** In ascending order of types. */
const OPTIONS: readonly Option[] = [
  { type: 0x01, key: "path", as: "text" },
  { type: 0x02, key: "maxRequestId", as: "number" },
  { type: 0x03, key: "tokens", as: "token" },
  { type: 0x04, key: "maxTokenCacheBytes", as: "number" },
  { type: 0x05, key: "authority", as: "text" },
  { type: 0x06, key: "maxFilterRanges", as: "number" },
  { type: 0x07, key: "implementation", as: "label" },
  { type: 0x08, key: "maxRequestUpdates", as: "number" },
];

function options(p: Profile): Field<SetupOptions> {
  return {
    write(w, v) {
      const pairs = OPTIONS.flatMap((option) => pairsOf(option, v, p));
      if (p.countedSetup) w.varint(pairs.length);
      writePairs(w, pairs, p.pairDeltas);
    },
    read(r) {
      const out: Record<string, unknown> = {};
      const count = p.countedSetup ? r.varint() : undefined;
      for (const { type, value } of readPairs(r, p.pairDeltas, count)) {
        const option = OPTIONS.find((option) => option.type === type);
        if (option === undefined) continue;
        if (option.as === "token") {
          const tokens = (out.tokens ??= []) as Token[];
          tokens.push(token.read(new Reader(value as Uint8Array, r.where, p.varints)));
        } else if (option.key in out) throw r.fail(`option ${type} stands twice`);
        else out[option.key] = valueOf(option, value, r);
      }
      return out as SetupOptions;
    },
  };
}

function valueOf({ as }: Option, value: WideInteger | Uint8Array, r: Reader): number | string {
  if (!(value instanceof Uint8Array)) return Math.min(Number(value), MAX_VARINT);
  if (value.length > MAX_TEXT_BYTES) throw r.fail(`an option of ${value.length} bytes`);
  return as === "label" ? lenient.decode(value) : new Reader(value, r.where).rest();
}

function pairsOf({ type, key, as }: Option, v: SetupOptions, p: Profile): Pair[] {
  const value = v[key];
  if (value === undefined) return [];
  if (as === "number") return [{ type, value: value as number }];
  if (as !== "token") return [{ type, value: utf8.encode(value as string) }];
  return (value as readonly Token[]).map((one) => {
    const w = new Writer(p.varints);
    token.write(w, one);
    return { type, value: w.done() };
  });
}

const noVersions = absent<readonly number[]>([]);
const oneVersion: Field<readonly number[]> = {
  write: (w, v) => w.varint(v[0]!),
  read: (r) => [capped.read(r)],
};

export function clientSetup(p: Profile): Message<Setup> {
  const versions = p.setupVersion === undefined ? noVersions : listOf(capped, MAX_VERSIONS);
  return declare(p, "CLIENT_SETUP", { versions, options: options(p) });
}
export function serverSetup(p: Profile): Message<Setup> {
  const versions = p.setupVersion === undefined ? noVersions : oneVersion;
  return declare(p, "SERVER_SETUP", { versions, options: options(p) });
}
export function setup17(p: Profile): Message<Setup> {
  return declare(p, "SETUP", { versions: noVersions, options: options(p) });
}
