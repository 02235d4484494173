/** The parts of docs/protocol.md that are made: versions, conversions, limits. */
import { LAYOUTS } from "../../relay/group/subgroup_head.ts";
import { MAX_SUBGROUPS } from "../../relay/group/group.ts";
import { convert } from "../../session/convert/convert.ts";
import { layoutOf } from "../../session/ietf/context.ts";
import { MAX_OPEN_REQUESTS } from "../../session/ietf/requests/request_ids.ts";
import { MAX_HELD_DATAGRAMS, MAX_HELD_STREAMS } from "../../session/ietf/subscriber/aliases.ts";
import { MAX_OBJECT_PROPERTY_BYTES } from "../../wire/ietf/data/object_head.ts";
import { MAX_FULL_NAME_BYTES, MAX_NAMESPACE_FIELDS } from "../../wire/ietf/names.ts";
import { MAX_CONTROL_BYTES, MAX_TRACK_PROPERTY_BYTES } from "../../wire/ietf/message/parts.ts";
import { MAX_PAIR_BYTES, MAX_PAIRS } from "../../wire/ietf/pairs.ts";
import { type Profile, PROFILES } from "../../wire/ietf/profile.ts";
import { dialectOf } from "../../wire/lite/dialect.ts";
import { MAX_HOPS, MAX_NAME_BYTES, MAX_PATH_PARTS } from "../../wire/path.ts";
import { alpnOf, isIetf, type Version, VERSIONS } from "../../wire/versions.ts";
import { ROOT } from "../module_graph.ts";
import { table } from "./markdown.ts";
import { type Marks, withPart } from "./marked_part.ts";

const marks = (name: string, source: string): Marks => ({
  begin: `<!-- ${name}: made by \`deno task docs\` from ${source}; do not edit -->`,
  end: `<!-- end of ${name} -->`,
});

/** docs/protocol.md with its made parts as they should be. @throws {Error} It has lost a mark. */
export async function protocolMarkdown(): Promise<string> {
  const written = await Deno.readTextFile(`${ROOT}docs/protocol.md`);
  const parts: readonly (readonly [Marks, string[]])[] = [
    [marks("table of versions", "wire/versions.ts"), versionsTable()],
    [marks("table of conversions", "session/convert/convert.ts"), conversionsTable()],
    [marks("table of limits", "the code"), limitsTable()],
  ];
  return parts.reduce(
    (text, [where, part]) => withPart(text, where, part.join("\n")),
    written.replaceAll("\r\n", "\n"),
  );
}

function versionsTable(): string[] {
  return table(
    ["Version", "Name", "Requests", "Objects", "Times", "Datagrams"],
    VERSIONS.map((version) => [`\`${version}\``, `\`${alpnOf(version)}\``, ...factsOf(version)]),
  );
}

function factsOf(version: Version): string[] {
  if (!isIetf(version)) {
    const { timestamps } = dialectOf(version);
    return ["streams", "frames", timestamps ? "yes" : "no", timestamps ? "yes" : "no"];
  }
  const profile = PROFILES.find(({ name }) => name === version)!;
  return [requestsOf(profile), layoutOf(profile), "LOC", "yes"];
}

function requestsOf({ requestStreams, namespaceStream }: Profile): string {
  if (requestStreams) return "streams";
  return namespaceStream ? "control stream, but SUBSCRIBE_NAMESPACE" : "control stream";
}

function conversionsTable(): string[] {
  const rows = LAYOUTS.map((from) => [
    `\`${from}\``,
    ...LAYOUTS.map((to) => {
      const converter = convert(from, to);
      if (from === to) return "as it is";
      return converter === undefined ? "no" : converter.merges ? "merged" : "each subgroup";
    }),
  ]);
  return table(["kept as", ...LAYOUTS.map((to) => `read as \`${to}\``)], rows);
}

function limitsTable(): string[] {
  const number = (n: number) => n.toLocaleString("en-US");
  return table(["What", "At most"], [
    ["fields of a namespace", number(MAX_NAMESPACE_FIELDS)],
    ["bytes of a namespace and a track's name together", number(MAX_FULL_NAME_BYTES)],
    ["segments of a path on moq-lite", number(MAX_PATH_PARTS)],
    ["bytes of a path, or of a track's name, on moq-lite", number(MAX_NAME_BYTES)],
    ["hops of a route on moq-lite", number(MAX_HOPS)],
    ["bytes of a message of moq-transport", number(MAX_CONTROL_BYTES)],
    ["bytes of a track's properties", number(MAX_TRACK_PROPERTY_BYTES)],
    ["bytes of an object's properties", number(MAX_OBJECT_PROPERTY_BYTES)],
    ["pairs of a list, where it is taken apart", number(MAX_PAIRS)],
    ["bytes of one value in it", number(MAX_PAIR_BYTES)],
    ["subgroups of a group", number(MAX_SUBGROUPS)],
    ["requests of a session at a time, up to draft 16", number(MAX_OPEN_REQUESTS)],
    ["streams that wait for an unknown alias", number(MAX_HELD_STREAMS)],
    ["datagrams that wait for an unknown alias", number(MAX_HELD_DATAGRAMS)],
  ]);
}
