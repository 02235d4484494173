/// <reference lib="dom" />
/**
 * The way to a relay: its address, the path above its broadcasts, and the token for it. The token goes into requests alone:
 * never into a link, a text or a log.
 */
import { normalizePath, pathOfUrl, urlOfPath } from "../../wire/path.ts";

/** How a relay answered the last question. */
export type RelayState =
  /** 200: it lets us in. */
  | "ok"
  /** 401, and no token was shown. */
  | "token_needed"
  /** 401, and one was. */
  | "token_refused"
  /** 403: the token is for another path. */
  | "forbidden"
  /** 404, or 400: nothing can be at this path. */
  | "nothing_here"
  /** 429: too many sessions of this address. */
  | "too_many"
  /** 502: the keys, or the server that decides on tokens, cannot be reached. */
  | "cannot_decide"
  /** 503: it is full, or about to stop. */
  | "unavailable"
  /** Any other status. */
  | "failing"
  /** No answer at all. */
  | "silent";

const STATES: Readonly<Record<number, RelayState>> = {
  400: "nothing_here",
  403: "forbidden",
  404: "nothing_here",
  429: "too_many",
  502: "cannot_decide",
  503: "unavailable",
};

/** What an HTTP status of the relay says. @param shown Whether a token was shown to it. */
export function stateOf(status: number, shown: boolean): RelayState {
  if (status >= 200 && status < 300) return "ok";
  if (status === 401) return shown ? "token_refused" : "token_needed";
  return STATES[status] ?? "failing";
}

/** Whether only another token or another address helps, and asking again does not. */
export function needsSomebody(state: RelayState): boolean {
  return ["token_needed", "token_refused", "forbidden", "nothing_here"].includes(state);
}

/** How players dial again: their library gives up after ten seconds, and a relay may be away for longer. */
export const REDIAL = { initial: 500, multiplier: 2, max: 5000, timeout: 0 } as const;

/** The certificate of a relay, as a browser may have to know it. */
export interface PinnedCertificate {
  /** SHA-256 in hexadecimal. */
  readonly hash: string;
  /**
   * "pin": browsers accept it by its hash alone. "refused": it is self-signed, and not of the kind that browsers accept by
   * hash. "signed": an authority has signed it.
   */
  readonly kind: "pin" | "refused" | "signed";
}

/** What a request says besides its path. */
export interface AskOptions {
  readonly query?: URLSearchParams;
  readonly signal?: AbortSignal;
}

export interface AccessOptions {
  /** Scheme, host and port of the relay: "https://relay.example". */
  readonly origin: string;
  /** Path that is dialed, percent-encoded: "/rooms/1". */
  readonly root?: string;
  readonly token?: string | undefined;
}

/** The way to one relay, or to one node of a cluster after another. */
export class Access {
  #origin: string;
  /** Path that all broadcasts are below, without outer slashes: "" or "rooms/1". */
  readonly root: string;
  /** The same as it stands in URLs. */
  readonly #pathname: string;
  #token: string | undefined;
  readonly #listeners = new Set<() => void>();

  constructor({ origin, root = "", token }: AccessOptions) {
    this.#origin = new URL(origin).origin;
    const path = pathOfUrl(root);
    // An unreadable path goes to the relay as it is: the relay refuses it.
    this.root = path ?? normalizePath(root);
    this.#pathname = path === undefined ? this.root : urlOfPath(path);
    this.#token = token === "" ? undefined : token;
  }

  /** Scheme, host and port. */
  get origin(): string {
    return this.#origin;
  }

  get token(): string | undefined {
    return this.#token;
  }

  /** Goes to another node from the next request on. The token goes there too: its owner trusts that node. */
  moveTo(origin: string): void {
    this.#origin = new URL(origin).origin;
    for (const listener of this.#listeners) listener();
  }

  /** The same place at another node. */
  at(origin: string): Access {
    return new Access({ origin, root: this.#pathname, token: this.#token });
  }

  /** Shows this token from the next request on; without one, none. */
  give(token: string | undefined): void {
    this.#token = token === "" ? undefined : token;
    for (const listener of this.#listeners) listener();
  }

  /** Calls back when another token is shown, or another node asked. @returns Ends that. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Where the relay is, for people and for links: without the token. */
  get url(): string {
    return `${this.origin}/${this.#pathname}`;
  }

  /** Where a session is dialed. It holds the token: give it to a transport, and show it to nobody. */
  get dialed(): string {
    const url = new URL(this.url);
    if (this.#token !== undefined) url.searchParams.set("jwt", this.#token);
    return url.href;
  }

  /**
   * Asks the relay over HTTP, at the root or below it. The token goes along in a header.
   *
   * @param route "announced", "fetch" or "dvr".
   * @param below Path below the root: a broadcast, a broadcast and a track.
   * @throws {TypeError} It does not answer.
   */
  async ask(route: string, below = "", { query, signal }: AskOptions = {}): Promise<Response> {
    const parts = [route, this.#pathname, urlOfPath(normalizePath(below))];
    const search = query === undefined ? "" : `?${query}`;
    const url = `${this.origin}/${parts.filter((part) => part !== "").join("/")}${search}`;
    // No header can hold this text: it is not a token.
    if (this.#token !== undefined && !/^[\x21-\x7e]+$/.test(this.#token)) {
      return new Response("no token\n", { status: 401 });
    }
    return await fetch(url, {
      cache: "no-store",
      credentials: "omit",
      ...(signal === undefined ? {} : { signal }),
      ...(this.#token === undefined ? {} : { headers: { authorization: `Bearer ${this.#token}` } }),
    });
  }

  /** How the relay answers us now. It tells why a session fails, which browsers do not. Never rejects. */
  async state(): Promise<RelayState> {
    try {
      const shown = this.#token !== undefined;
      const answer = await this.ask("announced");
      await answer.body?.cancel();
      return stateOf(answer.status, shown);
    } catch {
      return "silent";
    }
  }

  /** The relay's certificate; `undefined` when it does not answer. Never rejects. */
  async certificate(): Promise<PinnedCertificate | undefined> {
    try {
      const answer = await fetch(`${this.origin}/certificate.sha256`, {
        cache: "no-store",
        credentials: "omit",
      });
      const hash = (await answer.text()).trim();
      if (!answer.ok || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
      const kind = answer.headers.get("qumo-certificate");
      return { hash, kind: kind === "pin" || kind === "refused" ? kind : "signed" };
    } catch {
      return undefined;
    }
  }
}
