/**
 * What several messages have in common.
 *
 * @module
 */
import type { Writer } from "../../cursor.ts";
import { absent, type Field, type Message, message, varint } from "../../message.ts";
import { type Location, location } from "../fields.ts";
import { MAX_FULL_NAME_BYTES } from "../names.ts";
import { decodeProperties } from "../pairs.ts";
import type { ParameterKey, Parameters } from "../parameters.ts";
import type { Profile } from "../profile.ts";

/** Most bytes of a message: names, tokens and properties, each as long as it may be. */
export const MAX_CONTROL_BYTES = 32 << 10;
/** Most bytes of a track's properties. */
export const MAX_TRACK_PROPERTY_BYTES = 16 << 10;
/** Most bytes of a message of a few numbers, or of these with a name. */
export const MAX_NUMBERS_BYTES = 64;
export const MAX_NAMED_BYTES = 2 * MAX_FULL_NAME_BYTES;

/** Declares a message of one draft, written in its varints. */
export function declare<const F extends Record<string, Field<unknown>>>(
  profile: Profile,
  name: string,
  fields: F,
  maxBytes = MAX_CONTROL_BYTES,
) {
  return message(name, fields, maxBytes, profile.varints);
}

/** The number of a new request. In draft 17 that of another one follows, which none of ours waits for. */
export function requestId(profile: Profile): Field<number> {
  if (!profile.requiredRequestId) return varint;
  return {
    write(w, v) {
      w.varint(v);
      w.varint(0);
    },
    read(r) {
      const id = r.varint();
      r.varint();
      return id;
    },
  };
}

/** The number of the request that is answered; absent where answers come on the request's stream. */
export function answeredId(profile: Profile): Field<number | undefined> {
  return profile.requestStreams ? absent<number | undefined>(undefined) : required(varint);
}

/** A field that the draft has, of a value that other drafts lack. */
export function required<T>(field: Field<T>): Field<T | undefined> {
  return {
    write(w, v) {
      if (v === undefined) throw new RangeError("Cannot encode a message without all its fields");
      field.write(w, v);
    },
    read: (r) => field.read(r),
  };
}

/** A byte that says whether a location follows. */
export const maybeLocation: Field<Location | undefined> = {
  write(w, v) {
    w.u8(v === undefined ? 0 : 1);
    if (v !== undefined) location.write(w, v);
  },
  read(r) {
    const exists = r.u8();
    if (exists > 1) throw r.fail(`content exists: ${exists}`);
    return exists === 1 ? location.read(r) : undefined;
  },
};

const NO_PROPERTIES: Uint8Array = new Uint8Array();

/** The track's properties as they are written, to be forwarded so: all that is left of the message. */
export function properties(profile: Profile, has = profile.trackProperties): Field<Uint8Array> {
  if (!has) return absent(NO_PROPERTIES);
  return {
    write(w: Writer, v) {
      if (v.length > MAX_TRACK_PROPERTY_BYTES) {
        throw new RangeError(`Cannot encode ${v.length} bytes of properties`);
      }
      w.put(v);
    },
    read(r) {
      if (r.left > MAX_TRACK_PROPERTY_BYTES) throw r.fail(`${r.left} bytes of properties`);
      const raw = r.take(r.left).slice();
      decodeProperties(raw, profile);
      return raw;
    },
  };
}

/**
 * Draft 14 has fields for what later drafts have parameters for: they are read into the parameters, and written from there.
 *
 * @param defaults What is written where the parameters do not say it.
 */
export function folded<T extends { readonly parameters: Parameters }>(
  message: Message<unknown>,
  defaults: Readonly<Partial<Record<ParameterKey, unknown>>>,
): Message<T> {
  const keys = Object.keys(defaults) as ParameterKey[];
  return {
    ...message,
    encode(value) {
      const flat: Record<string, unknown> = { ...value };
      for (const key of keys) flat[key] = value.parameters[key] ?? defaults[key];
      return message.encode(flat);
    },
    decode(body) {
      const flat = message.decode(body) as Record<string, unknown> & T;
      const parameters: Record<string, unknown> = { ...flat.parameters };
      const rest: Record<string, unknown> = { ...flat, parameters };
      for (const key of keys) {
        if (flat[key] !== undefined) parameters[key] = flat[key];
        delete rest[key];
      }
      return rest as T;
    },
  };
}
