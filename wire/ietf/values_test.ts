/** Every message of every draft: the values it can carry, and what must hold for all of them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "../errors.ts";
import type { Message } from "../message.ts";
import { type Control, dialectOf, type Kind } from "./dialect.ts";
import { RANGE_FILTERS, type RangeFilter } from "./filter.ts";
import { REDIRECT_CODE } from "./message/answers.ts";
import { encodeProperties, type Pair } from "./pairs.ts";
import type { ParameterKey } from "./parameters.ts";
import { type Profile, PROFILES } from "./profile.ts";
import { type Scope, SCOPES } from "./scopes.ts";

type Any = fc.Arbitrary<unknown>;
type Values = Readonly<Record<string, Any>>;

const number = fc.maxSafeNat();
/** Small enough to be added to, or to have one added. */
const small = fc.nat();
const u8 = fc.nat({ max: 255 });
const flag = fc.boolean();
const text = fc.string({ unit: "binary", maxLength: 12 });
const raw = fc.uint8Array({ maxLength: 6 }).map((bytes) => Uint8Array.from(bytes));
const order = fc.constantFrom("ascending", "descending");
const location = fc.record({ group: number, object: number }, { noNullPrototype: true });
const maybe = (any: Any) => fc.option(any, { nil: undefined });
const none = fc.constant(undefined);
const empty = fc.constant(new Uint8Array());

function record(values: Values, optional: readonly string[] = []): Any {
  const requiredKeys = Object.keys(values).filter((key) => !optional.includes(key));
  return fc.record(values, { noNullPrototype: true, requiredKeys });
}

/** An object without the keys that are undefined. */
function defined(any: Any): Any {
  return any.map((value) =>
    Object.fromEntries(Object.entries(value as object).filter(([, v]) => v !== undefined))
  );
}

function wide(p: Profile): Any {
  return fc.oneof(number, fc.bigInt({ min: 2n ** 53n, max: p.varints.max }));
}

/** Fields of letters: a cut namespace is then never read as another one. */
function namespace(p: Profile, minLength: number): Any {
  const field = fc.stringMatching(p.emptyFields ? /^[a-z]{0,5}$/ : /^[a-z]{1,5}$/);
  const bytes = field.map((one) => new TextEncoder().encode(one));
  return fc.array(bytes, { minLength, maxLength: 5 });
}

function properties(p: Profile): Any {
  const pair: fc.Arbitrary<Pair> = fc.nat({ max: 0xffff }).chain((type) =>
    (type % 2 === 0 ? number : raw).map((value) => ({ type, value }))
  );
  const byType = (a: Pair, b: Pair) => Number(a.type) - Number(b.type);
  return fc.array(pair, { maxLength: 5 }).map((pairs) =>
    Uint8Array.from(encodeProperties(pairs.sort(byType), p))
  );
}

function token(p: Profile): Any {
  const [alias, type] = [wide(p), wide(p)];
  return fc.oneof(
    record({ kind: fc.constant("value"), type, value: raw }),
    record({ kind: fc.constant("register"), alias, type, value: raw }),
    record({ kind: fc.constantFrom("use", "delete"), alias }),
  );
}

const start = record({ group: small, object: small });
const range = (end: Any) =>
  fc.tuple(start as fc.Arbitrary<{ group: number; object: number }>, end).map(([start, end]) => {
    if (end === undefined) return { kind: "range", start };
    const { group, ...rest } = end as { group: number };
    return { kind: "range", start, end: { group: start.group + group, ...rest } };
  });
const endGroup = record({ group: small });
const end = record({ group: small, object: small }, ["object"]);

function filter(p: Profile): Any {
  const next = fc.constant({ kind: "next-object" });
  const back = (groups: Any) => record({ kind: fc.constant("groups-back"), groups });
  if (p.filter === "absolute" || p.filter === "delta") {
    return fc.oneof(next, back(fc.constant(0)), range(maybe(endGroup)));
  }
  const all = fc.constant({ kind: "all" });
  const any = fc.oneof(all, next, back(number), range(maybe(end)));
  if (p.filter === "typed") return any;
  // There an open range from the origin is all.
  return any.filter((v) => !JSON.stringify(v).endsWith(`{"group":0,"object":0}}`));
}

const rangeFilters = fc.array(
  fc.record({ i: fc.nat({ max: RANGE_FILTERS.length - 1 }), set: u8, property: small }).chain(
    ({ i, set, property }) => {
      const on = RANGE_FILTERS[i]!;
      const says = on.endsWith("property") ? { on, set, property } : { on, set };
      const ranges = fc.array(fc.tuple(small, small), { maxLength: 3 }).map((steps) => {
        let at = 0;
        return steps.map(([skip, length]) => ({ start: at += skip, end: at += length }));
      });
      return fc.oneof(
        ranges.map((ranges) => ({ ...says, ranges })),
        fc.constant({ on, ranges: [] }),
      );
    },
  ),
  { minLength: 1, maxLength: 4 },
).map((list) =>
  (list as RangeFilter[]).sort((a, b) => RANGE_FILTERS.indexOf(a.on) - RANGE_FILTERS.indexOf(b.on))
);

function parameter(p: Profile, key: ParameterKey): Any {
  if (key === "tokens") return fc.array(token(p), { minLength: 1, maxLength: 3 });
  if (key === "largest") return location;
  if (key === "filter") return filter(p);
  if (key === "groupOrder") return order;
  if (key === "rangeFilters") return rangeFilters;
  if (key === "fill") return parameters(p, "fill");
  if (key === "prefix") return namespace(p, 0);
  if (key === "priority" || key === "publisherPriority") return u8;
  if (key === "forward" || key === "dynamicGroups" || key === "includeProperties") return flag;
  return number;
}

/** Any choice of the parameters a message may have; `always` are those that draft 14 has fields for. */
function parameters(p: Profile, scope: Scope, always: Values = {}): Any {
  const optional = SCOPES[p.scope][scope] ?? [];
  const values = Object.fromEntries(optional.map((key) => [key, parameter(p, key)]));
  return defined(record({ ...values, ...always }, optional.filter((key) => !(key in always))));
}

function setup(p: Profile, versions: Any): Values {
  const options = {
    path: text,
    authority: text,
    maxRequestId: number,
    tokens: fc.array(token(p), { minLength: 1, maxLength: 3 }),
    maxTokenCacheBytes: number,
    maxFilterRanges: number,
    implementation: fc.stringMatching(/^[a-z/.]{0,9}$/),
    maxRequestUpdates: number,
  };
  return { versions, options: record(options, Object.keys(options)) };
}

/** The values of one message of one draft. */
function values({ kind, message, answers }: Control, p: Profile): Values {
  const is14 = p.messages === "14";
  const requestId = number;
  const answered = p.requestStreams ? none : number;
  const name = { namespace: namespace(p, p.minNamespaceFields), track: raw };
  const props = p.trackProperties ? properties(p) : empty;
  const wishes = { priority: u8, groupOrder: maybe(order), forward: flag, filter: filter(p) };
  const suffix = namespace(p, 0);
  const oldNames = p.messages === "14" || p.messages === "15";
  const named = oldNames
    ? { requestId: none, namespace: name.namespace }
    : { requestId, namespace: none };
  const prefix = namespace(p, 0);

  const rows: Record<Kind, () => Values> = {
    clientSetup: () =>
      setup(p, p.setupVersion === undefined ? fc.constant([]) : fc.array(number, { maxLength: 4 })),
    serverSetup: () => setup(p, p.setupVersion === undefined ? fc.constant([]) : fc.tuple(number)),
    goaway: () => ({
      uri: text,
      timeoutMs: p.goaway === "nothing" ? none : number,
      requestId: none,
    }),
    maxRequestId: () => ({ requestId }),
    requestsBlocked: () => ({ requestId }),
    unsubscribe: () => ({ requestId }),
    fetchCancel: () => ({ requestId }),
    subscribe: () => ({
      requestId,
      ...name,
      parameters: parameters(p, "subscribe", is14 ? wishes : {}),
    }),
    trackStatus: () => ({
      requestId,
      ...name,
      parameters: parameters(p, "trackStatus", is14 ? wishes : {}),
    }),
    subscribeOk: () => ({
      requestId: answered,
      alias: wide(p),
      parameters: parameters(
        p,
        "subscribeOk",
        is14 ? { expiresMs: number, groupOrder: order, largest: maybe(location) } : {},
      ),
      properties: props,
    }),
    update: () => ({
      requestId,
      existing: p.requestStreams ? none : number,
      parameters: parameters(
        p,
        "update",
        is14 ? { filter: range(maybe(endGroup)), priority: u8, forward: flag } : {},
      ),
    }),
    publish: () => ({
      requestId,
      ...name,
      alias: wide(p),
      parameters: parameters(
        p,
        "publish",
        is14 ? { groupOrder: order, largest: maybe(location), forward: flag } : {},
      ),
      properties: props,
    }),
    publishDone: () => ({
      requestId: answered,
      code: number,
      streams: maybe(number),
      reason: text,
    }),
    publishStateNotify: () => ({ parameters: parameters(p, "publishStateNotify") }),
    publishBlocked: () => ({ suffix, track: raw }),
    fetch: () => fetchValues(p, name),
    fetchOk: () => ({
      requestId: answered,
      endOfTrack: flag,
      end: p.fetchEndInclusive ? record({ group: small, object: small }) : end,
      parameters: parameters(p, "fetchOk", is14 ? { groupOrder: order } : {}),
      properties: props,
    }),
    publishNamespace: () => ({
      requestId,
      namespace: name.namespace,
      parameters: parameters(p, "publishNamespace"),
    }),
    publishNamespaceDone: () => named,
    publishNamespaceCancel: () => ({ ...named, code: number, reason: text }),
    subscribeNamespace: () => ({
      requestId,
      prefix,
      wanted: message.name === "SUBSCRIBE_NAMESPACE" && p.messages >= "18"
        ? fc.constant("namespaces")
        : oldNames
        ? fc.constant("both")
        : fc.constantFrom("tracks", "namespaces", "both"),
      parameters: parameters(p, "subscribeNamespace"),
    }),
    subscribeTracks: () => ({
      requestId,
      prefix,
      wanted: fc.constant("tracks"),
      parameters: parameters(p, "subscribeTracks"),
    }),
    unsubscribeNamespace: () =>
      p.messages === "14"
        ? { requestId: none, prefix: namespace(p, 1) } // no fields are read as a number
        : { requestId, prefix: none },
    namespace: () => ({ suffix }),
    namespaceDone: () => ({ suffix }),
    requestOk: () => okValues(p, message.name, answered, wishes, answers ?? []),
    requestError: () => ({
      requestId: answered,
      code: number.filter((code) => code !== REDIRECT_CODE),
      retryMs: p.retryInterval ? maybe(small) : none,
      reason: text,
      redirect: none,
    }),
  };
  return rows[kind]();
}

function okValues(
  p: Profile,
  name: string,
  requestId: Any,
  wishes: Values,
  answers: readonly string[],
): Values {
  const is14 = p.messages === "14";
  let says = parameters(p, name === "PUBLISH_OK" ? "publishOk" : "requestOk");
  if (is14 && answers[0] === "publish") {
    says = parameters(p, "publishOk", { ...wishes, groupOrder: order });
  } else if (is14 && answers[0] === "trackStatus") {
    says = parameters(p, "requestOk", {
      expiresMs: number,
      groupOrder: order,
      largest: maybe(location),
    });
  } else if (is14) says = fc.constant({});
  return { requestId, parameters: says, properties: p.propertiesInOk ? properties(p) : empty };
}

function fetchValues(p: Profile, name: Values): Values {
  const track = record({ kind: fc.constant("track"), ...name });
  const base = { requestId: number };
  const always: Values = p.messages === "14" ? { priority: u8, groupOrder: maybe(order) } : {};
  if (p.messages === "20") return { ...base, target: track, parameters: parameters(p, "fetch") };
  const joining = record({
    kind: fc.constant("joining"),
    subscription: number,
    from: fc.constantFrom("groups-back", "group"),
    group: number,
  });
  const either = fc.oneof(
    fc.record({
      target: track,
      parameters: parameters(p, "fetch", { ...always, filter: range(end) }),
    }),
    fc.record({ target: joining, parameters: parameters(p, "fetch", always) }),
  );
  return { ...base, both: either };
}

function arbitrary(control: Control, p: Profile, fixed: Values = {}): Any {
  return record({ ...values(control, p), ...fixed }).map((value) => {
    const { both, ...rest } = value as { both?: object };
    return { ...rest, ...both };
  });
}

for (const profile of PROFILES) {
  const { controls } = dialectOf(profile);

  Deno.test(`${profile.name}: every message survives a round trip for any field values`, () => {
    for (const control of controls) {
      const message = control.message as Message<unknown>;
      fc.assert(
        fc.property(arbitrary(control, profile), (value) => {
          assert.deepEqual(message.decode(message.encode(value)), value, message.name);
        }),
        { numRuns: 40 },
      );
    }
  });

  Deno.test(`${profile.name}: every message refuses a proper prefix and any trailing byte`, () => {
    for (const control of controls) {
      const message = control.message as Message<unknown>;
      // What fills the rest of a message may well be shorter: properties, and options without a number in front.
      const open = message.name === "UNSUBSCRIBE_NAMESPACE" ||
        control.kind === "goaway" && profile.goaway === "timeout and request" ||
        control.kind.endsWith("Setup") && !profile.countedSetup;
      const fixed: Values = "properties" in values(control, profile) ? { properties: empty } : {};
      const trails = profile.trackProperties && "properties" in fixed;
      if (open) continue;
      fc.assert(
        fc.property(arbitrary(control, profile, fixed), u8, (value, extra) => {
          const body = message.encode(value).slice();
          for (let n = 0; n < body.length; n++) {
            const cut = body.subarray(0, n);
            assert.throws(() => message.decode(cut), ProtocolViolation, `${message.name} ${n}`);
          }
          if (trails || hasLastPrefix(value)) return;
          const longer = Uint8Array.of(...body, extra);
          assert.throws(() => message.decode(longer), ProtocolViolation, message.name);
        }),
        { numRuns: 12 },
      );
    }
  });

  Deno.test(`${profile.name}: no message throws anything but ProtocolViolation, whatever the bytes`, () => {
    for (const control of controls) {
      const message = control.message as Message<unknown>;
      const damaged = fc.tuple(arbitrary(control, profile), fc.nat(), u8).map(
        ([value, at, byte]) => {
          const body = message.encode(value).slice();
          if (body.length > 0) body[at % body.length] = byte;
          return body;
        },
      );
      const noise = fc.uint8Array({ maxLength: 48 });
      fc.assert(
        fc.property(fc.oneof(noise, damaged), (bytes) => {
          try {
            assert.equal(typeof message.decode(bytes), "object");
          } catch (e) {
            assert.ok(e instanceof ProtocolViolation, `${message.name}: ${e}`);
          }
        }),
        { numRuns: 80 },
      );
    }
  });
}

/** A prefix with a length in front is read too. */
function hasLastPrefix(value: unknown): boolean {
  return (value as { parameters?: object }).parameters !== undefined &&
    "prefix" in (value as { parameters: object }).parameters;
}
