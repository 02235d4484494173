/// <reference lib="dom" />
/** Where the user is: the view in the fragment, the broadcast in the query. Both can be linked to. */
import { useEffect, useState } from "preact/hooks";

export const VIEWS = ["watch", "publish", "dashboard"] as const;
export type View = (typeof VIEWS)[number];

export interface PageRoute {
  readonly view: View;
  /** The broadcast that was asked for. */
  readonly name: string | undefined;
}

/** Reads an address; whatever is no view is the first one. */
export function routeOf(address: string): PageRoute {
  const { hash, searchParams } = new URL(address);
  const view = VIEWS.find((view) => hash === `#/${view}`) ?? "watch";
  const name = searchParams.get("name");
  return { view, name: name === null || name === "" ? undefined : name };
}

/** The address of a view, or of a broadcast in it. Other parameters of the present address stay; a token never does. */
export function addressOf(address: string, route: Partial<PageRoute>): string {
  const url = new URL(address);
  const { view, name } = { ...routeOf(address), ...route };
  if (name === undefined) url.searchParams.delete("name");
  else url.searchParams.set("name", name);
  url.searchParams.delete("jwt");
  url.hash = `#/${view}`;
  return url.href;
}

/** The present route, kept up to date, and how to go elsewhere without loading the page anew. */
export function useRoute(): readonly [PageRoute, (to: Partial<PageRoute>) => void] {
  const [route, setRoute] = useState(() => routeOf(location.href));
  useEffect(() => {
    const update = () => setRoute(routeOf(location.href));
    addEventListener("popstate", update);
    addEventListener("hashchange", update);
    return () => {
      removeEventListener("popstate", update);
      removeEventListener("hashchange", update);
    };
  }, []);
  const go = (to: Partial<PageRoute>) => {
    history.pushState(null, "", addressOf(location.href, to));
    setRoute(routeOf(location.href));
  };
  return [route, go];
}
