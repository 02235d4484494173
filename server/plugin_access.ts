/**
 * Who may ask a plugin for something by HTTP: whoever would be let in at the broadcast's path as a session, by the `jwt` of
 * the URL or the bearer token.
 *
 * @module
 */
import type { PluginContext } from "../plugins/plugin.ts";
import { normalizePath, urlOfPath } from "../wire/path.ts";
import type { AdmissionRequest } from "./admission.ts";
import type { Admitted } from "./auth/authorizer.ts";
import type { Grant, Refusal } from "./auth/grant.ts";
import { mayPublish, maySubscribe } from "./auth/rights.ts";

/** Decides on one request for a path. */
export type Admits = (request: AdmissionRequest) => Promise<Admitted | Refusal>;

export function pluginAccess(admit: Admits): Pick<PluginContext, "mayRead" | "mayPublish"> {
  const judged =
    (granted: (grant: Grant, path: string) => boolean) =>
    async (request: Request, broadcast: string): Promise<boolean> => {
      const path = normalizePath(broadcast);
      const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
      const decided = await admit({
        path: `/${urlOfPath(path)}${new URL(request.url).search}`,
        transport: "http",
        ...(bearer === undefined ? {} : { bearer }),
      });
      if ("reason" in decided) return false;
      decided.lease?.end("closed");
      return granted(decided.grant, path);
    };
  return { mayRead: judged(maySubscribe), mayPublish: judged(mayPublish) };
}
