/**
 * Rendezvous hashing: all who know the same nodes agree on their order for a key, and a node that comes or goes moves only its
 * own keys.
 *
 * @module
 */

/** FNV-1a of a text's UTF-16 units, 32 bits. */
export function fnv1a(text: string, from = 0x811c_9dc5): number {
  let hash = from;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash >>> 0;
}

/** The weight of a node for a key: the node with the highest one has it. */
export function weightOf(key: string, node: string): number {
  return weightFrom(startOf(key), node);
}

/** Which node has a key: the one with the highest weight, of equal ones the first by its name. */
export function nodeOf(key: string, nodes: readonly string[]): string | undefined {
  const start = startOf(key);
  let best: string | undefined;
  let most = -1;
  for (const node of nodes) {
    const weight = weightFrom(start, node);
    if (weight < most || (weight === most && node > best!)) continue;
    best = node;
    most = weight;
  }
  return best;
}

function startOf(key: string): number {
  return fnv1a("\n", fnv1a(key));
}

function weightFrom(start: number, node: string): number {
  let hash = fnv1a(node, start);
  // Texts that differ in their last letters alone have like hashes until their bits are mixed.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
