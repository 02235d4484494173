/**
 * Turns requests for a WebSocket into sessions, on every path. A refused request gets an HTTP status, before there is a
 * WebSocket.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import type { TransportSettings } from "../../transport/quic/quic_settings.ts";
import {
  chooseSubprotocol,
  overWebSocket,
  subprotocolsOf,
  versionIn,
} from "../../transport/websocket/websocket.ts";
import type { AdmissionRequest, Entrance } from "../admission.ts";
import { TEXT } from "./answers.ts";
import { type HttpApp, type HttpPeer, remoteOf } from "./http_listener.ts";
import { pageRequestOf } from "./page_origins.ts";

/** How requests are decided. */
export interface UpgradeOptions {
  /** Protocols known here, newest first. */
  readonly protocols: readonly string[];
  readonly transport: TransportSettings;
  /** Called once per well-formed request with a known protocol. */
  decide(
    request: Required<Pick<AdmissionRequest, "path" | "remoteAddress" | "page">> & {
      /** Of MoQ; empty where SETUP settles it. */
      readonly protocol: string;
    },
  ): Promise<Entrance>;
  /** Called when an accepted upgrade fails. */
  readonly onFailure: (remoteAddress: string, error: unknown) => void;
}

/** After this silence, in seconds, Deno drops the peer. After half of it Deno sends a ping. */
const IDLE_S = 30;

/** Wraps `app`: a request for a WebSocket becomes a session. */
export function withWebSockets(app: HttpApp, options: UpgradeOptions): HttpApp {
  return {
    fetch: (request, peer) =>
      asksForWebSocket(request) ? upgrade(request, peer, options) : app.fetch(request, peer),
  };
}

/** Whether a request wants to become a WebSocket. */
export function asksForWebSocket({ headers }: Request): boolean {
  return headers.get("upgrade")?.trim().toLowerCase() === "websocket";
}

async function upgrade(
  request: Request,
  peer: HttpPeer,
  options: UpgradeOptions,
): Promise<Response> {
  const { protocols, transport, onFailure } = options;
  const { pathname, search } = new URL(request.url);
  const path = pathname + search;
  const remoteAddress = remoteOf(peer);
  if (request.headers.get("sec-websocket-version") !== "13") {
    return refusal(400, "this is not version 13 of WebSocket");
  }
  if (!request.headers.has("sec-websocket-key")) return refusal(400, "a key is missing");
  const subprotocol = chooseSubprotocol(request.headers.get("sec-websocket-protocol"), protocols);
  if (subprotocol === undefined) {
    return refusal(400, `offer one of these subprotocols: ${subprotocolsOf(protocols).join(", ")}`);
  }
  const { status, headers, onConnection } = await options.decide({
    path,
    remoteAddress,
    page: pageRequestOf(request),
    protocol: versionIn(subprotocol),
  });
  if (status !== 200) return refusal(status, WHY[status] ?? "not now", headers);
  let upgraded: Deno.WebSocketUpgrade;
  try {
    upgraded = Deno.upgradeWebSocket(request, { protocol: subprotocol, idleTimeout: IDLE_S });
  } catch (error) {
    return refusal(400, reasonOf(error));
  }
  peer.heard?.();
  overWebSocket(upgraded.socket, {
    side: "server",
    path,
    remoteAddress,
    subprotocol,
    transport,
    ...(peer.drop === undefined ? {} : { drop: peer.drop }),
    ...(peer.heard === undefined ? {} : { heard: peer.heard }),
  }).then((connection) => {
    peer.upgraded?.();
    onConnection(connection);
  }, (error) => onFailure(remoteAddress, error));
  return upgraded.response;
}

const WHY: Readonly<Record<number, string>> = {
  401: "a token is needed (?jwt=…)",
  403: "the token does not allow this path, or this web page may not use the relay (auth.origins)",
  404: "nothing is at this path",
  421: "this is no name of the relay, which asks nobody for a token (auth.origins)",
  502: "who decides on tokens cannot be reached",
  429: "too many sessions of this address",
  503: "the relay is full or leaving; GET /route names others",
};

function refusal(status: number, why: string, headers: Entrance["headers"] = {}): Response {
  return new Response(`${why}\n`, { status, headers: { ...TEXT, ...headers } });
}
