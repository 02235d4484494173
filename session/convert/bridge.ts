/**
 * The bridge between protocols, for programs that load it only once a session needs it: the client library.
 *
 * @module
 */
import type { CopyOf } from "../../relay/group/copies.ts";

let loaded: CopyOf | undefined;

/** Copies groups for readers of another layout, once {@link provideBridge} was called. Before, nothing is copied. */
export const copyOf: CopyOf = (subgroup, layout, track) =>
  loaded?.(subgroup, layout, track) ?? "none";

/** Gives what converts, to whoever has loaded it. */
export function provideBridge(copies: CopyOf): void {
  loaded ??= copies;
}
