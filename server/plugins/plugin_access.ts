/**
 * Access to plugins by HTTP. A request is admitted like a session at the path of the broadcast, by the `jwt` of the URL or
 * the bearer token. The answer ends with its rights, as a session would.
 *
 * @module
 */
import type { PluginContext } from "../../plugins/plugin.ts";
import { normalizePath } from "../../wire/path.ts";
import { type AdmissionRequest, httpRequest } from "../admission.ts";
import type { Admitted } from "../auth/authorizer.ts";
import type { Refusal } from "../auth/grant.ts";
import { mayPublish, maySubscribe } from "../auth/rights.ts";
import type { Answer, HttpAnswers } from "../http/answers.ts";

/** Decides on one request for a path. */
export type Admits = (request: AdmissionRequest) => Promise<Admitted | Refusal>;

/** A request that a plugin answers. */
export interface PluginRequest {
  /** "ip:port"; empty where it is not known. */
  readonly remoteAddress: string;
  readonly answer: Answer;
}

export type PluginRequests = WeakMap<Request, PluginRequest>;

export interface PluginAccessOptions {
  readonly admit: Admits;
  readonly answers: HttpAnswers;
  readonly requests: PluginRequests;
}

const JUDGED = { read: maySubscribe, publish: mayPublish } as const;

export function pluginAccess(
  { admit, answers, requests }: PluginAccessOptions,
): Pick<PluginContext, "mayRead" | "mayPublish" | "hold"> {
  /** @returns Rights that the caller holds or ends; `undefined` when the request is refused. */
  const rightsOf = async (request: Request, broadcast: string, role: keyof typeof JUDGED) => {
    const path = normalizePath(broadcast);
    const known = requests.get(request);
    const decided = await admit(httpRequest(request, path, known?.remoteAddress ?? ""));
    if ("reason" in decided) {
      known?.answer.refused(decided);
      return undefined;
    }
    if (JUDGED[role](decided.grant, path)) return { decided, known };
    decided.lease?.end("refused");
    return undefined;
  };
  const may = (role: keyof typeof JUDGED) => async (request: Request, broadcast: string) => {
    const rights = await rightsOf(request, broadcast, role);
    if (rights === undefined) return false;
    const { decided, known } = rights;
    if (known === undefined) decided.lease?.end("closed");
    else known.answer.hold(decided);
    return true;
  };
  return {
    mayRead: may("read"),
    mayPublish: may("publish"),
    async hold(request, broadcast, role) {
      const rights = await rightsOf(request, broadcast, role);
      if (rights === undefined) return undefined;
      const lost = new AbortController();
      const holding = answers.hold(rights.decided, (why) => lost.abort(new Error(why)));
      return { lost: lost.signal, end: () => answers.drop(holding) };
    },
  };
}
