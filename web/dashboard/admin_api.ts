/// <reference lib="dom" />
/** Asks the admin interface, where this browser may reach it. */
import type { ClusterJson, SessionDetailJson, WhereJson } from "../../admin/shapes.ts";
import type { Answers } from "./dashboard_data.ts";

/** Where the admin interface is. */
export type AdminPlace =
  | { readonly kind: "found"; readonly url: string }
  /** The browser runs elsewhere, or came under another name. */
  | { readonly kind: "remote" }
  /** It is switched off, or open to the network at an address of its own. */
  | { readonly kind: "off" }
  /** The relay does not say; its status, if it answers at all. */
  | { readonly kind: "unknown"; readonly status?: number };

export async function findAdmin(): Promise<AdminPlace> {
  try {
    const answer = await fetch("/api/where", { cache: "no-store" });
    if (!answer.ok) return { kind: "unknown", status: answer.status };
    const { local, admin }: WhereJson = await answer.json();
    if (!local) return { kind: "remote" };
    return admin === null ? { kind: "off" } : { kind: "found", url: `http://${admin}` };
  } catch {
    return { kind: "unknown" };
  }
}

/** The admin interface asks for a token, or for another one. */
export class TokenNeeded extends Error {}

/** The admin interface answers, but not with what was asked for. */
export class AdminRefused extends Error {
  constructor(readonly status: number) {
    super(`the admin interface answers with status ${status}`);
  }
}

type List = "sessions" | "broadcasts" | "tracks" | "plugins";

/** Pages of a list that are read; nobody looks through more. */
const MAX_PAGES = 20;

/** Links whose sessions are looked into. A picture shows no more. */
const MAX_LINKED = 32;

const TOKEN_KEY = "qumo-admin-token";

/** The token that was given in this tab; it is forgotten with the tab. */
export const adminToken = {
  get: (): string => sessionStorage.getItem(TOKEN_KEY) ?? "",
  set: (token: string): void => sessionStorage.setItem(TOKEN_KEY, token),
};

/** One look at everything. @throws {TokenNeeded} @throws {AdminRefused} @throws {TypeError} It does not answer. */
export async function ask(url: string): Promise<Answers> {
  const token = adminToken.get();
  const get = async (path: string) => {
    const answer = await fetch(url + path, {
      cache: "no-store",
      credentials: "omit",
      headers: token === "" ? {} : { authorization: `Bearer ${token}` },
    });
    if (answer.status === 401) throw new TokenNeeded();
    if (!answer.ok) throw new AdminRefused(answer.status);
    return answer;
  };
  const list = async <N extends List>(name: N): Promise<Answers[N]> => {
    const all = [];
    let query = "";
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page = await (await get(`/api/v1/${name}${query}`)).json();
      all.push(...page[name]);
      if (page.next === undefined) break;
      query = `?after=${page.next}`;
    }
    return all;
  };
  /** What is served over the links; a session may end before it is asked about. */
  const linkedTo = async ({ links }: ClusterJson): Promise<SessionDetailJson[]> => {
    const ids = links.flatMap(({ session }) => session ?? []).slice(0, MAX_LINKED);
    const found = await Promise.all(ids.map(async (id) => {
      try {
        return await (await get(`/api/v1/sessions/${id}`)).json();
      } catch (error) {
        if (error instanceof AdminRefused && error.status === 404) return undefined;
        throw error;
      }
    }));
    return found.filter((session) => session !== undefined);
  };
  const [sessions, broadcasts, tracks, plugins, [cluster, linked], metrics] = await Promise.all([
    list("sessions"),
    list("broadcasts"),
    list("tracks"),
    list("plugins"),
    get("/api/v1/cluster").then(async (answer) => {
      const cluster: ClusterJson = await answer.json();
      return [cluster, await linkedTo(cluster)] as const;
    }),
    get("/metrics").then((answer) => answer.text()),
  ]);
  return { atMs: Date.now(), sessions, broadcasts, tracks, plugins, cluster, linked, metrics };
}
