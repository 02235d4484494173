/// <reference lib="dom" />
/** Opens a session of our own client library with an {@link Access}. */
import type { Client } from "../../client/client.ts";
import { connect, type ConnectOptions } from "../../client/connect.ts";
import type { Access } from "./access.ts";

/**
 * Connects to a relay. Each attempt shows the present token and pins the present certificate.
 * @throws {ConnectFailed} Browsers do not say why: ask {@link Access.state}.
 */
export function connectTo(access: Access, options: ConnectOptions = {}): Promise<Client> {
  return connect(access.url, {
    ...options,
    token: () => access.token ?? "",
    // By http:// the library asks for the hash itself. By https:// the browser trusts this host already.
    ...(access.origin.startsWith("https:")
      ? { hash: ({ origin }: URL) => pinnedHash(access.at(origin)), webSocketUnpinned: true }
      : {}),
  });
}

/** The hash of the relay's certificate, where browsers accept it by its hash alone. */
export async function pinnedHash(access: Access): Promise<string | undefined> {
  const certificate = await access.certificate();
  return certificate?.kind === "pin" ? certificate.hash : undefined;
}
