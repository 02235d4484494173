import { isPath, pathOfUrl } from "../wire/path.ts";
import { SessionRefused } from "./errors.ts";
import type { Entry, EntryWish, SessionOptions } from "./session.ts";

/**
 * Lets a peer in: where it wants to go, as far as it may.
 * @param named The path that the client named inside the connection.
 * @throws {SessionRefused}
 */
export async function enter(
  { connection, side, serve, consume, enter }: SessionOptions,
  named: string | undefined,
  role: EntryWish["role"],
): Promise<Entry> {
  // A URL that was dialed counts, and has been decided on; what is said behind it leads nowhere else.
  const path = connection.kind === "quic" || connection.path === "/"
    ? named ?? connection.path
    : connection.path;
  if (side === "server" && enter !== undefined) return await enter({ path, role });
  return { root: side === "client" ? "" : rootOf(path), serve, consume };
}

/** @throws {SessionRefused} It is no path of a URL. */
function rootOf(path: string): string {
  const root = pathOfUrl(path.split("?")[0]!);
  if (root === undefined || !isPath(root)) {
    throw new SessionRefused("notFound", "nothing can be at this path");
  }
  return root;
}
