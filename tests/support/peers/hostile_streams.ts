/**
 * What hostile peers send, as arbitraries, for the property tests in memory and for `deno task test:chaos` over real
 * connections.
 *
 * @module
 */
import fc from "fast-check";

/** One stream a peer opens, and how it leaves it. */
export interface HostileStream {
  readonly uni: boolean;
  readonly bytes: Uint8Array;
  readonly end: "open" | "fin" | "reset" | "stop";
}

const ENDS = fc.constantFrom(...["open", "fin", "reset", "stop"] as const);

const TYPES = ["00", "01", "02", "03", "04", "05", "06", "20", "21", "3f", ""];

/** Any type, any body, with or without a length that fits. */
export const randomStream: fc.Arbitrary<HostileStream> = fc.record({
  uni: fc.boolean(),
  type: fc.constantFrom(...TYPES),
  length: fc.boolean(),
  body: fc.uint8Array({ maxLength: 24 }),
  end: ENDS,
}).map(({ uni, type, length, body, end }) => ({
  uni,
  bytes: Uint8Array.from([
    ...Uint8Array.fromHex(type),
    ...(length ? [body.length] : []),
    ...body,
  ]),
  end,
}));

/** Valid messages to change: each message that opens a stream, in the newest version and an old one. */
const GOOD: readonly [kind: "uni" | "bidi", hex: string][] = [
  ["bidi", "010100"],
  ["bidi", "01020000"],
  ["bidi", "020b010161017600000000000000"],
  ["bidi", "020a01016101760000000000"],
  ["bidi", "0308016101760000000000"],
  ["bidi", "0400"],
  ["bidi", "0402c00a"],
  ["bidi", "050100"],
  ["bidi", "060401610176"],
  ["bidi", "20000a01c0000000ff0dad0100"],
  ["uni", "000300000000026f6b"],
  ["uni", "00020000026f6b"],
  ["uni", "010501050243e8"],
];

/** The same of moq-transport: SUBSCRIBE, PUBLISH, PUBLISH_NAMESPACE, FETCH, TRACK_STATUS, the watches, and a subgroup. */
const GOOD_IETF: readonly [kind: "uni" | "bidi", hex: string][] = [
  ["bidi", "03000a00010161017601210102"],
  ["bidi", "1d00080201016101760900"],
  ["bidi", "0600050401016200"],
  ["bidi", "16000c060101016101760000030000"],
  ["bidi", "0d000708010161017600"],
  ["bidi", "5000030a0000"],
  ["bidi", "5100030c0000"],
  ["uni", "100901800001410001"],
];

/** A valid message that is then cut, changed, doubled, or made to claim another length. */
const mutatedStream = (all: typeof GOOD): fc.Arbitrary<HostileStream> =>
  fc.record({
    good: fc.constantFrom(...all),
    edits: fc.array(
      fc.record({
        how: fc.constantFrom(...["set", "insert", "remove", "cut", "repeat", "huge"] as const),
        at: fc.nat(),
        byte: fc.integer({ min: 0, max: 255 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    end: ENDS,
  }).map(({ good: [kind, hex], edits, end }) => {
    let bytes = [...Uint8Array.fromHex(hex)];
    for (const { how, at, byte } of edits) {
      const i = at % (bytes.length + 1);
      if (how === "set") bytes[Math.min(i, bytes.length - 1)] = byte;
      if (how === "insert") bytes.splice(i, 0, byte);
      if (how === "remove") bytes.splice(i, 1);
      if (how === "cut") bytes = bytes.slice(0, i);
      if (how === "repeat") bytes = [...bytes, ...bytes.slice(i)];
      if (how === "huge") bytes.splice(i, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, byte);
    }
    return {
      uni: kind === "uni",
      bytes: Uint8Array.from(bytes.filter((b) => b !== undefined)),
      end,
    };
  });

const visit = (all: typeof GOOD): fc.Arbitrary<HostileStream[]> =>
  fc.array(fc.oneof(randomStream, mutatedStream(all)), { minLength: 1, maxLength: 12 });

/** A peer's whole visit. */
export const hostileVisit = visit(GOOD);
/** The same of a peer of moq-transport. */
export const hostileIetfVisit = visit(GOOD_IETF);
