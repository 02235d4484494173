import { isPath, pathOfUrl } from "../wire/path.ts";
import { SessionRefused } from "./errors.ts";
import type { Entry, EntryWish, SessionOptions } from "./session.ts";

/**
 * Decides where a peer is let in.
 * @param named The path that the client named inside the connection.
 * @throws {SessionRefused}
 */
export async function enter(
  { connection, serve, consume, enter }: SessionOptions,
  named: string | undefined,
  role: EntryWish["role"],
  token?: EntryWish["token"],
): Promise<Entry> {
  // The URL that was dialed counts, since access was granted to it. A path in SETUP does not replace it.
  const path = connection.kind === "quic" || connection.path === "/"
    ? named ?? connection.path
    : connection.path;
  return await enter?.({ path, role, ...(token === undefined ? {} : { token }) }) ??
    { root: rootOf(path), serve, consume };
}

/** @throws {SessionRefused} It is no path of a URL. */
function rootOf(path: string): string {
  const root = pathOfUrl(path.split("?")[0]!);
  if (root === undefined || !isPath(root)) {
    throw new SessionRefused("notFound", "nothing can be at this path");
  }
  return root;
}
