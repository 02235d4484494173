/// <reference lib="dom" />
/**
 * The way to the relay that served this page. Its path is the page's; its token stood in the address or was typed in. The token
 * leaves the address at once and stays in this tab alone.
 */
import { Access } from "./access.ts";
import { OtherNodes } from "./other_nodes.ts";

/** What is used of the browser. */
export interface Surroundings {
  readonly location: { readonly href: string };
  readonly history: {
    readonly state: unknown;
    replaceState(state: unknown, unused: string, url: string): void;
  };
  /** Absent, or throws, where the browser keeps nothing. */
  readonly sessionStorage?: Pick<Storage, "getItem" | "setItem" | "removeItem">;
}

const KEY = "qumo-token:";

/** Reads the address of the page and takes the token out of it. */
export function takeAccess(here: Surroundings): Access {
  const url = new URL(here.location.href);
  const root = url.pathname === "/index.html" ? "/" : url.pathname;
  const shown = url.searchParams.getAll("jwt").map((text) => text.trim()).filter(Boolean).at(-1);
  if (url.searchParams.has("jwt")) {
    url.searchParams.delete("jwt");
    here.history.replaceState(here.history.state, "", url.href);
  }
  const bare = new Access({ origin: url.origin, root });
  // A token goes only to the path it was given for.
  const key = KEY + bare.root;
  if (shown !== undefined) keep(here, key, shown);
  const access = new Access({ origin: url.origin, root, token: shown ?? kept(here, key) });
  access.watch(() => keep(here, key, access.token));
  return access;
}

function kept(here: Surroundings, key: string): string | undefined {
  try {
    return here.sessionStorage?.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function keep(here: Surroundings, key: string, token: string | undefined): void {
  try {
    if (token === undefined) here.sessionStorage?.removeItem(key);
    else here.sessionStorage?.setItem(key, token);
  } catch { // A browser that keeps nothing asks again after a reload.
  }
}

let made: Access | undefined;
let others: OtherNodes | undefined;

/** The other nodes of that relay's cluster. */
export function otherNodes(): OtherNodes {
  return others ??= new OtherNodes(pageAccess());
}

/** The way to the relay that served this page, or to another node of its cluster. */
export function pageAccess(): Access {
  return made ??= takeAccess({
    location,
    history,
    get sessionStorage() {
      return sessionStorage;
    },
  });
}
