/**
 * Admission to one node: every request for a session or for public HTTP passes here once, over every transport.
 *
 * @module
 */
import type { Logger } from "../base/logger.ts";
import type { Connection } from "../transport/connection.ts";
import { isPath, pathOfUrl, urlOfPath } from "../wire/path.ts";
import type { EntryWish, RequestWish, TokenRefusal } from "../session/session.ts";
import type { RefusalReason } from "../session/reasons.ts";
import type { Admitted, Authorizer } from "./auth/authorizer.ts";
import { type Refusal, refusal } from "./auth/grant.ts";
import type { PageOrigins, PageRequest } from "./http/page_origins.ts";
import { type AuthRequest, bearerOf, bearerOfSetup, splitPath } from "./auth/request.ts";
import { isToken } from "./auth/token.ts";
import type { Relay } from "./relay.ts";

/** Who asks, and for which path. */
export interface AdmissionRequest extends Omit<AuthRequest, "path" | "query" | "remote"> {
  /** Path and query as they were dialed, percent-encoded. */
  readonly path: string;
  /** "ip:port" of the peer; absent where it is not known. */
  readonly remoteAddress?: string;
  /** The web page it comes from; only for requests that a browser can make. */
  readonly page?: PageRequest;
  /** SETUP may bring the token (moq-transport): that there is none yet is not counted as a refusal. */
  readonly tokenMayFollow?: boolean;
  /** It is connected, and was counted. */
  readonly seated?: boolean;
  /** It has a session, and asks for something more. */
  readonly inside?: boolean;
}

/** The answer to a request for a session, before there is one. */
export interface Entrance {
  /** HTTP status: 200 opens the session. */
  readonly status: number;
  /** Header fields of a refusal. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Takes the connection once it is open. */
  readonly onConnection: (connection: Connection) => void;
}

/**
 * An HTTP request for a normalised path. Its token is in the query, as for a session, or in `Authorization: Bearer`.
 * @param remoteAddress "ip:port"; empty where it is not known.
 */
export function httpRequest(
  { url, headers }: Request,
  path: string,
  remoteAddress: string,
): AdmissionRequest {
  const bearer = bearerOf(headers);
  return {
    path: `/${urlOfPath(path)}${new URL(url).search}`,
    transport: "http",
    ...(remoteAddress === "" ? {} : { remoteAddress }),
    ...(bearer === undefined ? {} : { bearer }),
  };
}

/** Whether a refusal is not the last word: a token in SETUP may change it. */
export function awaitsToken(request: AdmissionRequest, { reason }: Refusal): boolean {
  return request.tokenMayFollow === true && (reason === "no_token" || reason === "server_refused");
}

export interface AdmissionOptions {
  readonly relay: Relay;
  readonly authorizer: Authorizer;
  readonly pages: PageOrigins;
  readonly log: Logger;
}

/** Paths that programs ask for under any host name. Their answers tell a web page nothing. */
const UNNAMED: ReadonlySet<string> = new Set(["/health", "/certificate.sha256"]);

const FULL = {
  full: "as many sessions as this server takes",
  address_full: "too many sessions of this address",
};

export class Admission {
  /** Refused requests, by reason. */
  readonly refused: Map<RefusalReason, number> = new Map();
  /** Decides on tokens. It may be replaced. */
  authorizer: Authorizer;
  /** Decides on web pages. It may be replaced. */
  pages: PageOrigins;
  readonly #options: Omit<AdmissionOptions, "authorizer" | "pages">;

  constructor({ authorizer, pages, ...options }: AdmissionOptions) {
    this.authorizer = authorizer;
    this.pages = pages;
    this.#options = options;
  }

  /** Decides on one request. The caller ends the lease of an admitted one. Never rejects. */
  async admit(request: AdmissionRequest): Promise<Admitted | Refusal> {
    const answer = await this.#decide(request);
    if (!("reason" in answer)) return this.confirm(request, answer);
    return awaitsToken(request, answer) ? answer : this.#refuse(request, answer);
  }

  async #decide(request: AdmissionRequest): Promise<Admitted | Refusal> {
    const { relay } = this.#options;
    const { path: dialed, remoteAddress = "", page, seated = false, inside = false, ...rest } =
      request;
    const { path: encoded, query } = splitPath(dialed);
    const path = pathOfUrl(encoded);
    const foreign = page === undefined ? undefined : this.pages.refusal(page);
    if (foreign !== undefined) return foreign;
    if (relay.draining) return refusal("draining", "shutting down");
    const sessionToCome = !seated &&
      (request.transport === "webtransport" || request.transport === "websocket");
    const full = sessionToCome ? relay.doorkeeper.full(remoteAddress) : undefined;
    if (
      full !== undefined &&
      !await this.authorizer.isOfNode({ ...rest, query, remote: remoteAddress })
    ) {
      return refusal(full, FULL[full]);
    }
    if (path === undefined) {
      return refusal(
        "bad_path",
        "the path is not well-formed percent-encoding, or no path of a broadcast",
      );
    }
    if (!isPath(path)) {
      return refusal("bad_path", "the path is too long, or has too many segments");
    }
    const answer = await this.authorizer.decide({
      ...rest,
      path: `/${path}`,
      query,
      remote: remoteAddress,
    });
    if ("reason" in answer || inside || request.transport === "http") return answer;
    return this.#withRoom(answer, seated || request.transport === "quic");
  }

  /** Turns newcomers away while the node is full. Other nodes of the cluster always get in. */
  #withRoom(answer: Admitted, counted: boolean): Admitted | Refusal {
    if (answer.grant.peer === true || !this.#options.relay.doorkeeper.atCapacity(counted)) {
      return answer;
    }
    answer.lease?.end("refused");
    return refusal(
      "full",
      "as many sessions as this node is meant to have; GET /route names others",
    );
  }

  /** Checks the web page of an HTTP request, before anything else. @returns The refusal, or `undefined`. */
  foreign(page: PageRequest, path: string, remoteAddress: string): Refusal | undefined {
    const no = UNNAMED.has(path) ? this.pages.refusal(page) : this.pages.httpRefusal(page);
    return no && this.#refuse({ path, remoteAddress, transport: "http" }, no);
  }

  /**
   * Decides on a peer that is connected, when its SETUP is known: that may hold a role, and a token where the URL had none.
   * @param answer What was decided on its URL.
   */
  async settle(
    request: AdmissionRequest,
    answer: Admitted | Refusal,
    { role, token }: EntryWish,
  ): Promise<Admitted | Refusal> {
    const { tokenMayFollow, ...known } = request;
    const whole = role === undefined ? known : { ...known, role };
    const bearer = tokenMayFollow === true ? bearerOfSetup(token) : undefined;
    if (bearer !== undefined) {
      if (!("reason" in answer)) answer.lease?.end("replaced");
      return await this.admit({ ...whole, bearer, seated: true });
    }
    return "reason" in answer ? this.#refuse(request, answer) : this.confirm(whole, answer);
  }

  /**
   * Decides on the token of one request of a session. Whether it may do what it asks for is checked by its grant.
   * @param request That of the session.
   * @returns The rights at the path of the session, or why there are none.
   */
  async judge(
    { page: _, bearer: __, tokenMayFollow: ___, ...request }: AdmissionRequest,
    { role, token }: RequestWish,
  ): Promise<Admitted | TokenRefusal> {
    const bearer = bearerOfSetup(token);
    if (bearer === undefined) return "unauthorized"; // nobody here knows tokens of this kind
    const { path, query } = splitPath(request.path);
    const rest = new URLSearchParams(query);
    rest.delete("jwt"); // the token of the session
    const answer = await this.admit({
      ...request,
      ...{ path: rest.size === 0 ? path : `${path}?${rest}`, role, bearer },
      ...{ seated: true, inside: true },
    });
    if (!("reason" in answer)) return answer;
    const { reason } = answer;
    if (reason === "expired") return "expiredToken";
    if (reason === "unavailable") return "internal";
    return reason === "bad_token" && !isToken(bearer) ? "malformedToken" : "unauthorized";
  }

  /** Checks a peer again that was admitted by its URL: SETUP may hold a role, and its token may be revoked by now. */
  confirm(request: AdmissionRequest, answer: Admitted): Admitted | Refusal {
    const { publish, subscribe } = answer.grant;
    const wanted = { publisher: publish, subscriber: subscribe };
    const { role } = request;
    const no = this.#options.relay.isRevoked(answer.grant)
      ? refusal("revoked", "the token was taken back")
      : role !== undefined && wanted[role].length === 0
      ? refusal("not_granted", `nothing is granted to a ${role} here`)
      : undefined;
    if (no === undefined) return answer;
    answer.lease?.end("refused");
    return this.#refuse(request, no);
  }

  #refuse(request: AdmissionRequest, answer: Refusal): Refusal {
    this.refused.set(answer.reason, (this.refused.get(answer.reason) ?? 0) + 1);
    const { transport, path, remoteAddress } = request;
    this.#options.log.info("refused", {
      transport,
      remote: remoteAddress,
      path: splitPath(path).path, // its query holds the token
      reason: answer.reason,
      why: answer.message,
    });
    return answer;
  }
}
