/** A heap snapshot of V8, as the browsers' developer tools load it. */
export interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly (readonly string[] | string)[];
    };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** The memory of one kind of object. */
export interface Held {
  /** Name of its constructor, or V8's word in brackets: "(closure)", "(array)". */
  readonly kind: string;
  readonly count: number;
  /** Their own size, without what they point to. */
  readonly bytes: number;
}

/** Objects by kind, the most memory first. */
export function heldByKind(heap: HeapSnapshot): Held[] {
  const { node_fields: fields, node_types: types } = heap.snapshot.meta;
  const [type, name, size] = ["type", "name", "self_size"].map((field) => fields.indexOf(field));
  const names = types[type!] as readonly string[];
  const held = new Map<string, { count: number; bytes: number }>();
  for (let at = 0; at < heap.nodes.length; at += fields.length) {
    const typeName = names[heap.nodes[at + type!]!]!;
    const kind = typeName === "object" || typeName === "native"
      ? heap.strings[heap.nodes[at + name!]!]!
      : `(${typeName})`;
    const entry = held.get(kind) ?? { count: 0, bytes: 0 };
    entry.count++;
    entry.bytes += heap.nodes[at + size!]!;
    held.set(kind, entry);
  }
  return [...held].map(([kind, entry]) => ({ kind, ...entry })).sort((a, b) => b.bytes - a.bytes);
}

/** The kinds that have grown, the most bytes first. */
export function growth(before: readonly Held[], after: readonly Held[]): Held[] {
  const known = new Map(before.map((held) => [held.kind, held]));
  return after.map(({ kind, count, bytes }) => {
    const old = known.get(kind);
    return { kind, count: count - (old?.count ?? 0), bytes: bytes - (old?.bytes ?? 0) };
  }).filter(({ bytes, count }) => bytes > 0 || count > 0).sort((a, b) => b.bytes - a.bytes);
}
