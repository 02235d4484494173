/**
 * The nodes that a client knows: those its program lists, and those that they name themselves (`GET /route`). It chooses where
 * to dial next. Loaded only by clients that have somewhere else to go.
 *
 * The token goes along to every place that is dialed. So a node is dialed only if the program lists it, or a node that is
 * known already has named it in an answer of `/route`. A GOAWAY alone makes no node known.
 *
 * @module
 */
import { sameHost } from "../../base/same_host.ts";
import { ConnectFailed } from "../../transport/errors.ts";
import { askOverHttp, type AskRoute, keyOf, type NamedNode, portOf } from "./ask_route.ts";
import type { Dialer, DialOptions } from "../client.ts";
import { type Elsewhere, type GoawayPolicy, isFinal } from "../reconnect.ts";

export interface PlacesOptions {
  /** Absent where relays are not asked. */
  readonly ask?: AskRoute | undefined;
  /** Between 0 and 1. */
  readonly random?: (() => number) | undefined;
}

/** The options of `connect()` that count here. */
type PlacesFor = Parameters<typeof askOverHttp>[0] & Pick<DialOptions, "reconnect"> & {
  readonly route?: boolean;
};

/** More are not kept. */
const MAX_NAMED = 64;

export class Places implements Elsewhere {
  readonly #listed: readonly URL[];
  readonly #ask: AskRoute;
  readonly #random: () => number;
  /** Named by relays: the newest answer, best first. */
  #named: readonly NamedNode[] = [];
  /** Tried since a session lasted. */
  readonly #tried = new Set<string>();
  /** Asked since a session lasted. */
  readonly #asked = new Set<string>();
  /** Where a session lasted, before it was lost: the others come first. */
  #home: string | undefined;

  /** @param listed One or more, the preferred one first. */
  constructor(listed: readonly URL[], { ask, random = Math.random }: PlacesOptions = {}) {
    this.#listed = listed;
    this.#ask = ask ?? (() => Promise.resolve(undefined));
    this.#random = random;
  }

  /** Every place it may dial from one, that one too. */
  known(from: URL): URL[] {
    const named = this.#named.flatMap(({ url }) => placed(url, from) ?? []);
    const all = [from, ...this.#listed, ...named];
    const places = new Map<string, URL>();
    for (const url of all) if (!places.has(keyOf(url))) places.set(keyOf(url), url);
    return [...places.values()];
  }

  /** Marks what is tried, and asks who answers for the other nodes. */
  dialing(dialer: Dialer): Dialer {
    return async (url, signal) => {
      this.#tried.add(keyOf(url));
      const connection = await dialer(url, signal);
      void this.#learn(url, signal);
      return connection;
    };
  }

  lasted(at: URL): void {
    this.#home = keyOf(at);
    this.#tried.clear();
    this.#asked.clear();
  }

  async #learn(from: URL, signal: AbortSignal): Promise<void> {
    const nodes = await this.#ask(from, signal);
    if (nodes !== undefined && nodes.length > 0) this.#named = nodes.slice(0, MAX_NAMED);
  }

  async enter(open: (url: URL) => Promise<void>, signal: AbortSignal): Promise<void> {
    for (let url = this.#listed[0]!;;) {
      try {
        return await open(url);
      } catch (error) {
        if (signal.aborted || isFinal(error)) throw error;
        const next = await this.next(url, error, signal);
        if (!next.fresh || signal.aborted) throw error;
        url = next.url;
      }
    }
  }

  async next(
    from: URL,
    why: unknown,
    signal: AbortSignal,
  ): Promise<{ readonly url: URL; readonly fresh: boolean }> {
    const turnedAway = isTurnedAway(why);
    if (turnedAway && !this.#asked.has(keyOf(from))) {
      this.#asked.add(keyOf(from));
      await this.#learn(from, signal);
    }
    // A node that turns us away knows the load of the others. After a loss nobody does: all who were there spread.
    const untried = this.#ordered(from, turnedAway).find((url) => !this.#tried.has(keyOf(url)));
    if (untried !== undefined) return { url: untried, fresh: true };
    this.#tried.clear();
    this.#asked.clear();
    const [again = from] = this.#ordered(from, turnedAway);
    return { url: again, fresh: false };
  }

  async asked(
    uri: string,
    from: URL,
    policy: GoawayPolicy,
    signal: AbortSignal,
  ): Promise<URL> {
    const away = async () => (await this.next(from, undefined, signal)).url;
    if (!URL.canParse(uri)) return await away(); // it does not say where
    const knows = () => this.known(from).find((url) => keyOf(url) === keyOf(new URL(uri)));
    const at = knows();
    if (at !== undefined && keyOf(at) !== keyOf(from)) return at;
    if (policy === "follow" || sameHost(uri, from.href)) return new URL(uri);
    await this.#learn(from, signal);
    return knows() ?? await away();
  }

  /** The others in the order in which they are tried, and the place itself last. */
  #ordered(from: URL, asTold: boolean): URL[] {
    const own = keyOf(from);
    const others = this.known(from).filter((url) => keyOf(url) !== own);
    const region = this.#regionOf(own);
    const rank = (url: URL, i: number) =>
      asTold
        ? this.#placeOf(url, i)
        : Number(keyOf(url) === this.#home) * 2 + Number(this.#regionOf(keyOf(url)) !== region) +
          this.#random();
    const ranked = others.map((url, i) => ({ url, rank: rank(url, i) }));
    return [...ranked.sort((a, b) => a.rank - b.rank).map(({ url }) => url), from];
  }

  /** Its place in the newest answer; what nobody named comes behind. */
  #placeOf(url: URL, i: number): number {
    const at = this.#named.findIndex((named) => keyOf(new URL(named.url)) === keyOf(url));
    return at < 0 ? MAX_NAMED + i : at;
  }

  /** Of a place that nobody named: that of the best one. */
  #regionOf(key: string): string | undefined {
    const found = this.#named.find(({ url }) => keyOf(new URL(url)) === key);
    return (found ?? this.#named[0])?.region;
  }
}

/** Whether a node is there and wants nobody: 503, or the same word when a session is closed. */
function isTurnedAway(why: unknown): boolean {
  return why === "unavailable" || why instanceof ConnectFailed && why.status === 503;
}

const SCHEMES = ["https:", "http:", "moqt:", "moql:", "wss:", "ws:"];

/** A named node as it is dialed: only its host and port count, so that no answer changes how we dial and which path. */
function placed(named: string, from: URL): URL | undefined {
  if (!URL.canParse(named)) return undefined;
  const there = new URL(named);
  if (!SCHEMES.includes(there.protocol) || there.hostname === "") return undefined;
  const url = new URL(from);
  url.hostname = there.hostname;
  url.port = portOf(there);
  return url;
}

/** What the options of `connect()` make of it. */
export function placesOf(
  urls: readonly URL[],
  { route = true, reconnect, ...how }: PlacesFor,
): Places {
  const random = typeof reconnect === "object" ? reconnect.random : undefined;
  return new Places(urls, { ask: route ? askOverHttp(how) : undefined, random });
}
