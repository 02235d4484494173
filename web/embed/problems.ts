/// <reference lib="dom" />
/** What keeps an embedded player from playing, as a stable code and a sentence. */

export const EMBED_CODES = [
  "QUMO_EMBED_BROWSER",
  "QUMO_EMBED_SOURCE",
  "QUMO_EMBED_UNREACHABLE",
  "QUMO_EMBED_CONNECT",
  "QUMO_EMBED_UNAUTHORIZED",
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
  /** With the token. */
  readonly url: string;
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
  const path = broadcast?.split("/").filter((part) => part !== "").join("/") ?? "";
  if (path === "") return source("Set the attribute broadcast to the name of a broadcast.");
  url.hash = "";
  if (token !== undefined && token !== "") url.searchParams.set("jwt", token);
  return { url: url.href, broadcast: path };
}

const source = (message: string): EmbedProblem => ({ code: "QUMO_EMBED_SOURCE", message });

/** What no relay can cure; `undefined` in a browser that can play. */
export function browserProblem(): EmbedProblem | undefined {
  if (!isSecureContext) {
    return {
      code: "QUMO_EMBED_BROWSER",
      message: "Browsers play live media on https:// pages and on localhost only.",
    };
  }
  if (typeof VideoDecoder === "function") return undefined;
  return {
    code: "QUMO_EMBED_BROWSER",
    message: "This browser has no WebCodecs. Use a current Chrome, Edge, Firefox or Safari.",
  };
}

export const CODEC_PROBLEM: EmbedProblem = {
  code: "QUMO_EMBED_CODEC",
  message: "This browser cannot decode the video. Publish it as H.264, VP9 or AV1.",
};

const BY_STATUS: Readonly<Record<number, EmbedProblem>> = {
  401: {
    code: "QUMO_EMBED_UNAUTHORIZED",
    message: "The relay asks for a token. Set the property token.",
  },
  403: {
    code: "QUMO_EMBED_FORBIDDEN",
    message: "The token does not allow this path. Ask for one that allows to subscribe to it.",
  },
  404: { code: "QUMO_EMBED_NOT_FOUND", message: "There is no relay at the URL in src." },
  429: { code: "QUMO_EMBED_BUSY", message: "The relay has too many sessions now." },
  503: { code: "QUMO_EMBED_BUSY", message: "The relay takes no new sessions now." },
};

/** What the HTTP status of `/announced` says of a session that does not come about; 0 for no answer. */
export function problemOfStatus(status: number): EmbedProblem {
  return BY_STATUS[status] ?? (status === 0
    ? {
      code: "QUMO_EMBED_UNREACHABLE",
      message: "The relay does not answer, or does not let this page ask it.",
    }
    : {
      code: "QUMO_EMBED_CONNECT",
      message: "The relay answers, but no media connection comes about. UDP may be blocked on " +
        "the way, or the browser does not accept the relay's certificate.",
    });
}

/** Asks a relay by HTTP why it takes no session. Never rejects. */
export async function askWhy(url: string, signal: AbortSignal): Promise<EmbedProblem> {
  const at = new URL(url);
  const token = at.searchParams.get("jwt");
  at.search = "";
  at.pathname = `/announced${at.pathname === "/" ? "" : at.pathname}`;
  try {
    const answer = await fetch(at, {
      signal,
      cache: "no-store",
      ...(token === null ? {} : { headers: { authorization: `Bearer ${token}` } }),
    });
    await answer.body?.cancel();
    return problemOfStatus(answer.status);
  } catch {
    return problemOfStatus(0);
  }
}
