/**
 * Namespaces and names of tracks. They are bytes, compared as such. Spec: draft-ietf-moq-transport-18, "Track Naming".
 *
 * @module
 */
import type { Reader } from "../cursor.ts";
import type { Field } from "../message.ts";
import type { Profile } from "./profile.ts";
import { copySized, unread } from "./integers.ts";

/** The fields of a namespace, or of a part of one, outermost first. */
export type Namespace = readonly Uint8Array[];

/** What a track is found by. */
export interface FullName {
  readonly namespace: Namespace;
  readonly track: Uint8Array;
}

/** Most fields of a namespace, and most bytes of all of them with the track's name. */
export const MAX_NAMESPACE_FIELDS = 32;
export const MAX_FULL_NAME_BYTES = 4_096;

function bytesOf(namespace: Namespace): number {
  return namespace.reduce((sum, field) => sum + field.length, 0);
}

function fields(min: number, emptyFields: boolean): Field<Namespace> {
  const wrong = (v: Namespace): string | undefined => {
    if (v.length < min || v.length > MAX_NAMESPACE_FIELDS) {
      return `a namespace of ${v.length} fields`;
    }
    if (!emptyFields && v.some((field) => field.length === 0)) return "an empty field";
    return bytesOf(v) > MAX_FULL_NAME_BYTES ? "a namespace of more than 4096 bytes" : undefined;
  };
  return {
    write(w, v) {
      const problem = wrong(v);
      if (problem !== undefined) throw new RangeError(`Cannot encode ${problem}`);
      w.varint(v.length);
      for (const field of v) w.sized(field);
    },
    read(r) {
      const count = r.varint();
      if (count > MAX_NAMESPACE_FIELDS) throw r.fail(`a namespace of ${count} fields`);
      const v = Array.from({ length: count }, () => copySized(r, MAX_FULL_NAME_BYTES));
      const problem = wrong(v);
      if (problem !== undefined) throw r.fail(problem);
      return v;
    },
  };
}

/** A whole namespace. */
export function namespace(profile: Profile): Field<Namespace> {
  return fields(profile.minNamespaceFields, profile.emptyFields);
}

/** What namespaces have to begin with. Drafts 14 and 15 demand a field; moq-net asks for all with none. */
export function namespacePrefix(profile: Profile): Field<Namespace> {
  return fields(0, profile.emptyFields);
}

/** What a namespace has behind a prefix. */
export function namespaceSuffix(profile: Profile): Field<Namespace> {
  return fields(0, profile.emptyFields);
}

/** The namespace to look for a track in instead: no fields where it stays. */
export const redirectNamespace: Field<Namespace> = fields(0, false);

/** A track's name; it may be empty. */
export const trackName: Field<Uint8Array> = {
  write(w, v) {
    if (v.length > MAX_FULL_NAME_BYTES) {
      throw new RangeError(`Cannot encode a track's name of ${v.length} bytes`);
    }
    w.sized(v);
  },
  read: (r) => copySized(r, MAX_FULL_NAME_BYTES),
};

/** For `checked`: names that are each short enough and together are not. */
export function fullNameProblem(name: FullName): string | undefined {
  return bytesOf(name.namespace) + name.track.length > MAX_FULL_NAME_BYTES
    ? `a full name of more than ${MAX_FULL_NAME_BYTES} bytes`
    : undefined;
}

/**
 * The prefix in REQUEST_UPDATE, the last of its parameters. The drafts write it bare; aiomoqt puts a length in front on 18
 * and 20. The two cannot be mistaken for each other: n fields in the n bytes that are left would all be empty.
 */
export function lastPrefix(profile: Profile): Field<Namespace> {
  const bare = namespacePrefix(profile);
  return {
    write: (w, v) => bare.write(w, v),
    read(r) {
      if (isLengthOfRest(r)) r.varint();
      return bare.read(r);
    },
  };
}

function isLengthOfRest(r: Reader): boolean {
  const rest = unread(r);
  const width = rest.length === 0 ? 0 : r.varints.width(rest[0]!);
  if (width === 0 || rest.length <= width) return false;
  return r.varints.get(rest, 0) === rest.length - width;
}
