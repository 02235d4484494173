/// <reference lib="dom" />
/** A session of our own client library, by the way that {@link Access} knows. */
import type { Client } from "../../client/client.ts";
import { connect, type ConnectOptions } from "../../client/connect.ts";
import type { Access } from "./access.ts";

/**
 * Connects to a relay; each attempt shows the token and pins the certificate of its time.
 * @throws {ConnectFailed} Browsers do not say why: ask {@link Access.state}.
 */
export function connectTo(access: Access, options: ConnectOptions = {}): Promise<Client> {
  return connect(access.url, {
    ...options,
    token: () => access.token ?? "",
    // By http:// the library asks for the hash itself. By https:// the browser trusts this host already.
    ...(access.origin.startsWith("https:")
      ? { hash: () => pinnedHash(access), webSocketUnpinned: true }
      : {}),
  });
}

/** The hash to accept the relay's certificate by, where browsers do so by nothing else. */
export async function pinnedHash(access: Access): Promise<string | undefined> {
  const certificate = await access.certificate();
  return certificate?.kind === "pin" ? certificate.hash : undefined;
}
