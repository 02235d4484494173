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
  let hash = fnv1a(node, fnv1a("\n", fnv1a(key)));
  // Texts that differ in their last letters alone have like hashes until their bits are mixed.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
