import type { z } from "zod";
import { definitionOf, type InputKind, kindOf } from "./input_kind.ts";
import { type Notes, notes } from "./fields.ts";
import { ConfigSchema } from "./schema.ts";

/** One setting of the schema. */
export interface Setting extends Notes {
  /** As in a file, from the top: "server.idle_timeout". */
  readonly path: string;
  /** "server". */
  readonly section: string;
  /** As in a file: "idle_timeout". */
  readonly key: string;
  /** As in the program: "idleTimeout". */
  readonly name: string;
  /** "QUMO_SERVER_IDLE_TIMEOUT". */
  readonly env: string;
  readonly about: string;
  readonly kind: InputKind;
  /** The default as in a file; absent when there is none. */
  readonly byDefault?: unknown;
  readonly schema: z.ZodType;
}

export interface Section {
  readonly name: string;
  readonly about: string;
  readonly settings: readonly Setting[];
}

/** A setting of a section, or of the entries of a list. @throws {TypeError} Its schema has no notes. */
export function settingOf(section: string, key: string, schema: z.ZodType): Setting {
  const note = notes.get(schema as never);
  if (!note) throw new TypeError(`${section}.${key} is not declared with a builder of fields.ts`);
  const { defaultValue } = definitionOf(schema);
  return {
    ...note,
    path: `${section}.${key}`,
    section,
    key,
    name: key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    env: `QUMO_${section}_${key}`.toUpperCase(),
    about: schema.description ?? "",
    kind: note.list === true ? "list" : kindOf(schema),
    schema,
    ...(defaultValue === undefined ? {} : { byDefault: defaultValue }),
  };
}

/** The sections of a file, in the order of the schema. */
export const SECTIONS: readonly Section[] = Object.entries(ConfigSchema.shape).map(
  ([name, section]) => ({
    name,
    about: section.description ?? "",
    settings: Object.entries(section.shape as Record<string, z.ZodType>).map(([key, schema]) =>
      settingOf(name, key, schema)
    ),
  }),
);

/** Every setting, in the order of the schema. */
export const SETTINGS: readonly Setting[] = SECTIONS.flatMap((section) => section.settings);

/** Settings by all paths that a file may use, with older keys. */
export const BY_FILE_PATH: ReadonlyMap<string, Setting> = new Map(
  SETTINGS.flatMap((s) => [s.path, ...(s.aliases ?? [])].map((path) => [path, s] as const)),
);
