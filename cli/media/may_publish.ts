import { urlOfPath } from "../../wire/path.ts";
import type { ConnectOptions } from "../../client/mod.ts";
import { watchUrl } from "./watch_url.ts";

const TIMEOUT_MS = 5000;

/**
 * Asks a relay over HTTP whether a broadcast may be published there. A session ignores one that may not, without a word.
 *
 * @param relay The URL that was dialed.
 * @param token Shown beside or instead of the one in the URL.
 * @returns `undefined` where it is unknown: raw QUIC, a token made for each attempt, a certificate that HTTP refuses, or
 * another kind of relay. Never rejects.
 */
export async function mayPublish(
  relay: string,
  broadcast: string,
  token: ConnectOptions["token"],
): Promise<boolean | undefined> {
  const page = watchUrl(relay, broadcast);
  if (page === undefined || typeof token === "function") return undefined;
  const { origin, pathname, searchParams } = new URL(page);
  const below = urlOfPath(searchParams.get("name")!);
  const asked = new URL(`/announced${pathname.replace(/\/$/, "")}/${below}`, origin);
  const shown = token ?? new URL(relay).searchParams.getAll("jwt").at(-1);
  try {
    const answer = await fetch(asked, {
      headers: shown === undefined ? {} : { authorization: `Bearer ${shown}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.body?.cancel();
    if (answer.status === 401 || answer.status === 403) return false;
    return answer.headers.get("qumo-rights")?.split(" ").includes("publish");
  } catch { // HTTP is not there, or its certificate is not known.
    return undefined;
  }
}
