/// <reference lib="dom" />
/** Why an embedded player does not play: a stable code and a sentence. */
import { normalizePath } from "../../wire/path.ts";
import { Access, type RelayState } from "../connect/access.ts";
import { missingInBrowser } from "../connect/browser_problem.ts";

export const EMBED_CODES = [
  "QUMO_EMBED_BROWSER",
  "QUMO_EMBED_SOURCE",
  "QUMO_EMBED_UNREACHABLE",
  "QUMO_EMBED_CONNECT",
  "QUMO_EMBED_TOKEN_NEEDED",
  "QUMO_EMBED_TOKEN_REFUSED",
  "QUMO_EMBED_FORBIDDEN",
  "QUMO_EMBED_NOT_FOUND",
  "QUMO_EMBED_BUSY",
  "QUMO_EMBED_CODEC",
] as const;
export type EmbedCode = (typeof EMBED_CODES)[number];

export interface EmbedProblem {
  readonly code: EmbedCode;
  /** What is wrong and what to do, one or two sentences. Never holds the token. */
  readonly message: string;
}

/** Where a player connects to, and what it plays there. */
export interface EmbedTarget {
  readonly access: Access;
  readonly broadcast: string;
}

/** Attributes as they are in the page. */
export interface TargetParts {
  readonly src: string | null;
  readonly broadcast: string | null;
  readonly token: string | undefined;
  /** What a relative `src` is relative to. */
  readonly base: string;
}

/** @returns Where to connect, or what is wrong with the attributes. */
export function targetOf({ src, broadcast, token, base }: TargetParts): EmbedTarget | EmbedProblem {
  if (src === null || !URL.canParse(src, base)) {
    return source("Set the attribute src to the URL of a relay, like https://relay.example/.");
  }
  const url = new URL(src, base);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return source("The URL in src must begin with https:// or http://.");
  }
  const path = normalizePath(broadcast ?? "");
  if (path === "") return source("Set the attribute broadcast to the name of a broadcast.");
  const shown = token ?? url.searchParams.getAll("jwt").at(-1);
  const access = new Access({ origin: url.origin, root: url.pathname, token: shown });
  return { access, broadcast: path };
}

const source = (message: string): EmbedProblem => ({ code: "QUMO_EMBED_SOURCE", message });

const IN_BROWSER = {
  "secure context": "Browsers play live media on https:// pages and on localhost only.",
  "WebCodecs": "This browser has no WebCodecs. Use a current Chrome, Edge, Firefox or Safari.",
} as const;

/** What the browser lacks; `undefined` in one that can play. */
export function browserProblem(): EmbedProblem | undefined {
  const missing = missingInBrowser();
  return missing && { code: "QUMO_EMBED_BROWSER", message: IN_BROWSER[missing] };
}

export const CODEC_PROBLEM: EmbedProblem = {
  code: "QUMO_EMBED_CODEC",
  message: "This browser cannot decode the video. Publish it as H.264, VP9 or AV1.",
};

const BUSY = "The relay takes no new sessions from here now.";
const STATES: Readonly<Record<RelayState, readonly [EmbedCode, string]>> = {
  ok: [
    "QUMO_EMBED_CONNECT",
    "The relay answers, but the media connection fails. UDP may be blocked on the way, or the browser does not accept the " +
    "relay's certificate.",
  ],
  token_needed: [
    "QUMO_EMBED_TOKEN_NEEDED",
    "The relay asks for a token. Set the property token.",
  ],
  token_refused: [
    "QUMO_EMBED_TOKEN_REFUSED",
    "The relay refuses the token. It may have ended: set a new one.",
  ],
  forbidden: [
    "QUMO_EMBED_FORBIDDEN",
    "The token does not allow this path. Get one that allows to subscribe to it.",
  ],
  nothing_here: ["QUMO_EMBED_NOT_FOUND", "The relay has nothing at the path in src."],
  too_many: ["QUMO_EMBED_BUSY", BUSY],
  cannot_decide: ["QUMO_EMBED_BUSY", "The relay cannot check tokens now."],
  unavailable: ["QUMO_EMBED_BUSY", BUSY],
  failing: ["QUMO_EMBED_UNREACHABLE", "The relay answers with an error."],
  silent: [
    "QUMO_EMBED_UNREACHABLE",
    "The relay does not answer, or does not let this page ask it.",
  ],
};

/** Why a session fails, by the relay's answer. */
export function problemOf(state: RelayState): EmbedProblem {
  const [code, message] = STATES[state];
  return { code, message };
}
