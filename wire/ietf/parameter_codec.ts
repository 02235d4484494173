/**
 * How each draft writes the parameters of its messages. What a draft or a message has no parameter for is left out. Spec: draft-ietf-moq-transport-18, "Message Parameters".
 *
 * @module
 */
import type { Reader } from "../cursor.ts";
import { type Field, flag, u8 } from "../message.ts";
import { anyOrder, byteAsVarint, groupOrder, location, sized, sizedToken } from "./fields.ts";
import { FILTER_PARAMETER, RANGE_FILTERS, type RangeFilter, rangeFilter } from "./filter.ts";
import { lastPrefix } from "./names.ts";
import { readType, readValue, writeType } from "./pairs.ts";
import type { ParameterKey, Parameters } from "./parameters.ts";
import type { Profile } from "./profile.ts";
import { type Scope, SCOPES } from "./scopes.ts";
import { capped, type WideInteger } from "./integers.ts";

/** Most parameters of one message. */
export const MAX_PARAMETERS = 64;
const MAX_FILL_BYTES = 4_096;

interface Row {
  readonly type: number;
  readonly key: ParameterKey;
  readonly field: Field<unknown>;
  /** Of a list, which entries this parameter writes, one each. Absent: it is no list. */
  readonly repeats?: (entry: unknown) => boolean;
}

/** Rows by type, in ascending order: of parameters that the draft has in any message. */
function rows(profile: Profile): Row[] {
  const typed = profile.typedParameters;
  const byte = <T>(field: Field<T>) => typed ? field : byteAsVarint(field);
  const row = <T>(type: number, key: ParameterKey, field: Field<T>): Row => ({
    type,
    key,
    field: field as Field<unknown>,
  });
  const known = new Set(Object.values(SCOPES[profile.scope]).flat());
  const all: Row[] = [
    row(0x02, "deliveryTimeoutMs", capped),
    { ...row(0x03, "tokens", sizedToken), repeats: () => true },
    row(0x04, "maxCacheMs", capped),
    row(0x04, "rendezvousTimeoutMs", capped),
    row(0x06, "subgroupTimeoutMs", capped),
    row(0x08, "expiresMs", capped),
    row(0x09, "largest", profile.sizedOddParameters ? sized(location, 2 * 9) : location),
    row(0x0a, "fillTimeoutMs", capped),
    row(0x0e, "publisherPriority", byte(u8)),
    row(0x10, "forward", byte(flag)),
    row(0x20, "priority", byte(u8)),
    row(0x21, "filter", FILTER_PARAMETER[profile.filter]),
    // Players of drafts 15 and 16 write 0 as in draft 14: the choice is the publisher's.
    row(0x22, "groupOrder", typed ? groupOrder : byteAsVarint(anyOrder)),
    ...RANGE_FILTERS.map((on, i) => ({
      ...row(0x25 + i, "rangeFilters", rangeFilter(on)),
      repeats: (entry: unknown) => (entry as RangeFilter).on === on,
    })),
    row(0x30, "dynamicGroups", byte(flag)),
    row(0x32, "newGroup", capped),
    row(0x34, "prefix", lastPrefix(profile)),
    row(0x35, "includeProperties", profile.sizedOddParameters ? sized(flag, 1) : flag),
  ];
  if (known.has("fill")) {
    all.push(row(0x23, "fill", sized(parameters(profile, "fill"), MAX_FILL_BYTES)));
  }
  return all.filter(({ key }) => known.has(key)).sort((a, b) => a.type - b.type);
}

/** Every row of a draft, made once. */
const ROWS = new Map<Profile, Row[]>();

function rowsOf(profile: Profile): Row[] {
  let found = ROWS.get(profile);
  if (found === undefined) ROWS.set(profile, found = rows(profile));
  return found;
}

/** The parameters of one message: their number, then each. */
export function parameters(profile: Profile, scope: Scope): Field<Parameters> {
  const allowed = new Set(SCOPES[profile.scope][scope] ?? []);
  return {
    write(w, v) {
      const found = entries(profile, v).filter(([{ key }]) => allowed.has(key));
      if (found.length > MAX_PARAMETERS) {
        throw new RangeError(
          `Cannot encode ${found.length} parameters: at most ${MAX_PARAMETERS}`,
        );
      }
      w.varint(found.length);
      let before = 0;
      for (const [{ type, field }, value] of found) {
        writeType(w, type, before, profile.pairDeltas);
        before = type;
        field.write(w, value);
      }
    },
    read(r) {
      const count = r.varint();
      if (count > MAX_PARAMETERS) {
        throw r.fail(`${count} parameters, at most ${MAX_PARAMETERS} allowed`);
      }
      const out: Record<string, unknown> = {};
      let type: WideInteger = 0;
      for (let i = 0; i < count; i++) {
        type = readType(r, type, profile.pairDeltas);
        readOne(r, type, profile, allowed, out);
      }
      return out as Parameters;
    },
  };
}

/** What a value says, parameter by parameter. */
function entries(profile: Profile, v: Parameters): [Row, unknown][] {
  return rowsOf(profile).flatMap((row): [Row, unknown][] => {
    const value = v[row.key];
    if (value === undefined) return [];
    if (row.repeats === undefined) return [[row, value]];
    return (value as readonly unknown[]).filter(row.repeats).map((entry) => [row, entry]);
  });
}

function readOne(
  r: Reader,
  type: WideInteger,
  profile: Profile,
  allowed: ReadonlySet<ParameterKey>,
  out: Record<string, unknown>,
): void {
  const row = rowsOf(profile).find((row) => row.type === type);
  if (row === undefined) {
    if (profile.refusesUnknown) throw r.fail(`parameter ${type} is not known`);
    readValue(r, type);
    return;
  }
  if (!allowed.has(row.key)) {
    if (profile.refusesMisplaced) throw r.fail(`parameter ${type} has no place here`);
    readValue(r, type);
    return;
  }
  const value = row.field.read(r);
  if (row.repeats !== undefined) {
    const list = (out[row.key] ??= []) as unknown[];
    list.push(value);
  } else if (row.key in out) throw r.fail(`parameter ${type} stands twice`);
  else out[row.key] = value;
}
