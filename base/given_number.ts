/**
 * A whole number that a program has given: of a group, an object, a priority.
 * @param what What it is, as in "Cannot use 1.5 as …".
 * @param most The largest that is allowed.
 * @throws {RangeError} It is not a whole number from 0 to `most`.
 */
export function givenNumber(what: string, value: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new RangeError(`Cannot use ${value} as ${what}: it is a whole number from 0 to ${most}`);
}
