/**
 * Asks the admin interface of a relay.
 *
 * @module
 */
import { reasonOf, UsageError } from "../../base/errors.ts";
import { QumoError } from "../../client/mod.ts";
import { ADMIN_TOKEN_HINT, isAdminToken } from "../../config/cross_checks.ts";
import type { ClusterJson } from "../../admin/shapes.ts";
import type { Look } from "./top_view.ts";

/** The admin interface does not answer as one. */
export class AdminUnreachable extends QumoError {
  readonly code = "QUMO_ADMIN_UNREACHABLE";
}

/** A relay that answers later than this counts as away. In milliseconds. */
const ANSWER_MS = 5000;
/** Most sessions and tracks that are asked for; no screen shows as many. */
const MAX_ITEMS = 20_000;

/** @throws {UsageError} */
export function adminOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ["http:", "https:"].includes(url.protocol)) return url;
  throw new UsageError(`--admin takes a URL like http://127.0.0.1:9090, not "${text}"`);
}

/** The token to show, from where the relay has it too. @throws {UsageError} */
export async function tokenFrom(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return Deno.env.get("QUMO_ADMIN_TOKEN") || undefined;
  let text: string;
  try {
    text = (await Deno.readTextFile(file)).trim();
  } catch (error) {
    throw new UsageError(`Cannot read --token-file ${file}: ${reasonOf(error)}`);
  }
  if (!isAdminToken(text)) throw new UsageError(`--token-file ${file}: ${ADMIN_TOKEN_HINT}`);
  return text;
}

type Lists = Pick<Look, "sessions" | "tracks">;

/** @throws {AdminUnreachable} */
export async function look(admin: URL, token: string | undefined): Promise<Look> {
  const [sessions, tracks] = await Promise.all([
    all(admin, "sessions", token),
    all(admin, "tracks", token),
  ]);
  return { atMs: performance.now(), sessions, tracks };
}

/** What the relay knows of its cluster. @throws {AdminUnreachable} */
export const lookAtCluster = (admin: URL, token: string | undefined): Promise<ClusterJson> =>
  ask<ClusterJson>(admin, "cluster", "links", token);

type Page<N extends keyof Lists> = Pick<Lists, N> & { readonly next?: string };

/** A list, page by page. */
async function all<N extends keyof Lists>(
  admin: URL,
  what: N,
  token: string | undefined,
): Promise<Lists[N]> {
  const found: Lists[N][number][] = [];
  let after: string | undefined;
  do {
    const page: Page<N> = await ask<Page<N>>(admin, what, what, token, after);
    found.push(...page[what]);
    after = page.next;
  } while (after !== undefined && found.length < MAX_ITEMS);
  return found as unknown as Lists[N];
}

/** A page of a list, or the cluster: what an answer has to have is a list of this name. */
async function ask<T>(
  admin: URL,
  path: string,
  member: keyof T & string,
  token: string | undefined,
  after?: string,
): Promise<T> {
  const url = new URL(`/api/v1/${path}`, admin);
  if (after !== undefined) url.searchParams.set("after", after);
  let status = 0;
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(ANSWER_MS),
      redirect: "error", // the token goes nowhere else
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    status = answer.status;
    const text = await answer.text();
    if (!answer.ok) throw new Error(`status ${status}`);
    const found = JSON.parse(text);
    if (!Array.isArray(found?.[member])) throw new Error("its answer is not that of a relay");
    return found;
  } catch (error) {
    const message = `Cannot read ${url}: ${reasonOf(error)}\n${remedyFor(status, admin)}`;
    throw new AdminUnreachable(message, { cause: error });
  }
}

function remedyFor(status: number, admin: URL): string {
  if (status === 421) return "Name the machine by its address, as in http://127.0.0.1:9090.";
  if (status === 401) {
    return "It asks for a token: --token-file is the file of its admin.token_file; QUMO_ADMIN_TOKEN holds one as well.";
  }
  if (status !== 0) {
    return "Something else answers there: --admin is the relay's admin.address, not its public port.";
  }
  return `Is a relay running, with its admin interface (admin.address) at ${admin.host}? ` +
    "`qumo-relay serve` starts one.";
}
