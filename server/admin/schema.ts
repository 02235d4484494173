/**
 * The part of JSON Schema (2020-12, as OpenAPI 3.1 takes it) that the admin interface is described in, and its check of
 * what is sent to it.
 *
 * @module
 */

export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly format?: "date-time";
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly oneOf?: readonly Schema[];
  readonly $ref?: string;
}

/** Something wrong with a value, and where in it: "" is all of it. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

export const text = (description: string, more: Schema = {}): Schema => ({
  type: "string",
  description,
  ...more,
});
export const count = (description: string, more: Schema = {}): Schema => ({
  type: "integer",
  minimum: 0,
  description,
  ...more,
});
export const yes = (description: string): Schema => ({ type: "boolean", description });
export const time = (description: string): Schema => ({
  type: "string",
  format: "date-time",
  description,
});
export const listOf = (items: Schema, description: string): Schema => ({
  type: "array",
  items,
  description,
});
/** The same, or `null`. */
export const orNull = (schema: Schema): Schema => ({
  ...schema,
  type: [...[schema.type ?? []].flat(), "null"],
});

/** An object that has exactly the members of `T`, all of them. */
export function object<T extends object>(
  properties: { readonly [K in keyof T]-?: Schema },
  description = "",
): Schema {
  return {
    type: "object",
    ...(description === "" ? {} : { description }),
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "a text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
  null: "null",
};

/** What is wrong with a value. References are not followed. */
export function faultsOf(value: unknown, schema: Schema, path = ""): Fault[] {
  const types = [schema.type ?? []].flat();
  const fault = (message: string): Fault[] => [{ path, message }];
  if (types.length > 0 && !types.some((type) => isOfType(value, type))) {
    return fault(`expected ${types.map((type) => TYPE_NAMES[type] ?? type).join(" or ")}`);
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return fault(`expected one of ${schema.enum.join(", ")}`);
  }
  if (typeof value === "string") return textFault(value, schema).flatMap(fault);
  if (typeof value === "number") {
    const { minimum = -Infinity, maximum = Infinity } = schema;
    return value < minimum || value > maximum
      ? fault(`expected a number from ${minimum} to ${maximum}`)
      : [];
  }
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? objectFaults(value as Record<string, unknown>, schema, path)
    : [];
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "integer") return Number.isSafeInteger(value);
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  return typeof value === type && value !== null && !Array.isArray(value);
}

function textFault(value: string, schema: Schema): string[] {
  const { minLength = 0, maxLength = Infinity, pattern, format } = schema;
  if (value.length < minLength || value.length > maxLength) {
    return [`expected ${minLength} to ${maxLength} characters`];
  }
  if (pattern !== undefined && !new RegExp(pattern, "u").test(value)) {
    return [`expected something like ${pattern}`];
  }
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value);
  if (format === "date-time" && !(isTime && Number.isFinite(Date.parse(value)))) {
    return ["expected a time like 2030-01-31T12:00:00Z"];
  }
  return [];
}

function objectFaults(
  value: Readonly<Record<string, unknown>>,
  { properties = {}, required = [], additionalProperties, oneOf }: Schema,
  path: string,
): Fault[] {
  const below = (key: string) => path === "" ? key : `${path}.${key}`;
  const faults = required.filter((key) => !Object.hasOwn(value, key))
    .map((key): Fault => ({ path: below(key), message: "is missing" }));
  for (const [key, item] of Object.entries(value)) {
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (schema !== undefined) faults.push(...faultsOf(item, schema, below(key)));
    else if (additionalProperties === false) {
      faults.push({ path: below(key), message: "unknown key" });
    }
  }
  if (oneOf !== undefined) {
    const fitting = oneOf.filter((schema) => faultsOf(value, schema, path).length === 0);
    const choices = oneOf.map(({ required = [] }) => required.join(" with ")).join(", ");
    if (fitting.length !== 1) faults.push({ path, message: `give one of ${choices}` });
  }
  return faults;
}
