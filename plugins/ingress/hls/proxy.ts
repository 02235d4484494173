/**
 * The only network that ffmpeg has while it plays a playlist: a proxy on loopback that only it can use. The proxy fetches by HTTP
 * and HTTPS, from hosts that the configuration allows.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Readable } from "node:stream";
import { QumoError, reasonOf } from "../../../base/errors.ts";
import { detoured, detourOf, meantBy } from "./detour.ts";
import { HlsRefused, type Reachable } from "./reachable.ts";

/** Longest playlist. */
const MAX_PLAYLIST_BYTES = 4 << 20;
/** Most other playlists that one may name: ffmpeg takes 9 KB of memory for each, and asks for all before it plays. */
const MAX_PLAYLISTS_NAMED = 128;
/** The name that ffmpeg has for the playlist of the configuration. It never gets the address. */
const ENTRY = "http://playlist.invalid/index.m3u8";
const FORWARDED = ["range", "accept", "user-agent", "authorization"] as const;
const RETURNED = ["content-type", "content-length", "content-range"] as const;

export interface HlsProxyOptions {
  /** The playlist. Credentials in it go to its own host alone. */
  readonly url: string;
  readonly reachable: Reachable;
  /** Limit for a connection and the head of an answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Called when a request failed, with why, and with `undefined` when one succeeds again. */
  readonly onfailed: (failure: HlsRefused | HlsFetchFailed | undefined) => void;
}

/** Serves until it is disposed of. */
export class HlsProxy implements AsyncDisposable {
  /** The address that ffmpeg plays. */
  readonly input = ENTRY;
  readonly #options: HlsProxyOptions;
  readonly #source: URL;
  readonly #authorization: string;
  readonly #over = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #secret = crypto.getRandomValues(new Uint8Array(16)).toHex();

  constructor(options: HlsProxyOptions) {
    this.#options = options;
    this.#source = new URL(options.url);
    const { username, password } = this.#source;
    this.#authorization = username === "" && password === ""
      ? ""
      : basic(decodeURIComponent(username), decodeURIComponent(password));
    const { signal } = this.#over;
    const listening = { hostname: "127.0.0.1", port: 0, signal, onListen() {} };
    this.#server = Deno.serve(listening, (request) => this.#answer(request));
  }

  /** The environment of ffmpeg, which names the proxy. Other users cannot see it; they see arguments. */
  get env(): Readonly<Record<string, string>> {
    const { port } = this.#server.addr;
    return { http_proxy: `http://ffmpeg:${this.#secret}@127.0.0.1:${port}`, no_proxy: "" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#server.finished;
  }

  async #answer(request: Request): Promise<Response> {
    if (!this.#isOurs(request)) {
      const headers = { "proxy-authenticate": 'Basic realm="qumo-relay"' };
      return new Response(null, { status: 407, headers });
    }
    if (request.method !== "GET") return new Response(null, { status: 405 });
    const url = meantBy(request.url);
    if (url === undefined) return new Response(null, { status: 400 });
    if (url.href === ENTRY) return redirect(detourOf(this.#source));
    try {
      return await this.#fetch(url, request);
    } catch (error) {
      const known = error instanceof HlsRefused || error instanceof HlsFetchFailed;
      const failure = known
        ? error
        : new HlsFetchFailed(`Cannot fetch ${shown(url)}: ${reasonOf(error)}`, { cause: error });
      this.#options.onfailed(failure);
      return new Response(null, {
        status: failure instanceof HlsFetchFailed ? failure.status : 502,
      });
    }
  }

  async #fetch(url: URL, request: Request): Promise<Response> {
    const response = await this.#get(url, request);
    const { statusCode = 502, headers } = response;
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      response.destroy();
      const to = URL.parse(headers.location, url);
      if (to === null || !/^https?:$/.test(to.protocol)) {
        throw new HlsFetchFailed(`Cannot follow a redirect of ${shown(url)}: it is not to HTTP`);
      }
      return redirect(detourOf(to));
    }
    if (statusCode >= 400) {
      response.destroy();
      const what = `${statusCode} ${response.statusMessage ?? ""}`.trim();
      throw new HlsFetchFailed(`Cannot fetch ${shown(url)}: it answers ${what}`, {}, statusCode);
    }
    this.#options.onfailed(undefined);
    const body = Readable.toWeb(response) as ReadableStream<Uint8Array>;
    const reader = body.getReader();
    const { value: first } = await reader.read();
    if (first !== undefined && isPlaylist(first)) {
      const playlist = await textOf(first, reader);
      const named = namedIn(playlist);
      if (named > MAX_PLAYLISTS_NAMED) {
        throw new HlsFetchFailed(
          `Cannot play ${
            shown(url)
          }: it names ${named} playlists, more than ${MAX_PLAYLISTS_NAMED}`,
        );
      }
      return new Response(detoured(playlist, url));
    }
    const kept = RETURNED.flatMap((name) =>
      headers[name] === undefined ? [] : [[name, headers[name]]]
    );
    return new Response(again(first, reader), {
      status: statusCode,
      headers: Object.fromEntries(kept),
    });
  }

  async #get(url: URL, { headers }: Request): Promise<IncomingMessage> {
    const secure = url.protocol === "https:";
    const port = Number(url.port || (secure ? 443 : 80));
    const hostname = url.hostname.replace(/^\[|\]$/g, "");
    const addresses = await this.#options.reachable.addressesOf(hostname, port);
    const sent = FORWARDED.flatMap((name) => {
      const value = headers.get(name);
      // ffmpeg asks for a whole file with a range. Without the range all servers answer alike.
      return value === null || value === "bytes=0-" ? [] : [[name, value]];
    });
    const own = url.origin === this.#source.origin && this.#authorization !== ""
      ? { authorization: this.#authorization }
      : {};
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const asked = (secure ? requestHttps : requestHttp)({
      signal: this.#over.signal,
      ...{ hostname, port, path: `${url.pathname}${url.search}`, agent: false },
      headers: { ...Object.fromEntries(sent), ...own, host: url.host },
      // Only the addresses that were checked.
      lookup: ((_host: string, { all }: { all?: boolean }, done: LookupDone) => {
        const found = addresses.map((address) => ({ address, family: familyOf(address) }));
        if (all === true) done(null, found);
        else done(null, found[0]!.address, found[0]!.family);
      }) as never,
    }, resolve);
    asked.on("error", reject);
    const { timeoutMs } = this.#options;
    const fallSilent = () => asked.destroy(new HlsFetchFailed(`${url.host} has fallen silent`));
    const late = setTimeout(fallSilent, timeoutMs);
    asked.setTimeout(timeoutMs, fallSilent);
    asked.end();
    try {
      return await promise;
    } finally {
      clearTimeout(late);
    }
  }

  #isOurs({ headers }: Request): boolean {
    const given = bytesOf(headers.get("proxy-authorization") ?? "");
    const right = bytesOf(basic("ffmpeg", this.#secret));
    return given.length === right.length && timingSafeEqual(given, right);
  }
}

/** A part of the playlist cannot be fetched. */
export class HlsFetchFailed extends QumoError {
  readonly code = "QUMO_HLS_FETCH";
  /** @param status The answer that ffmpeg gets. */
  constructor(message: string, options: ErrorOptions = {}, readonly status = 502) {
    super(message, options);
  }
}

/** An address without its secret parts. */
const shown = ({ origin, pathname }: URL) => `${origin}${pathname}`;

type LookupDone = (error: null, found: unknown, family?: number) => void;

const familyOf = (address: string) => address.includes(":") ? 6 : 4;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const basic = (user: string, password: string) =>
  `Basic ${new TextEncoder().encode(`${user}:${password}`).toBase64()}`;
const redirect = (location: string) => new Response(null, { status: 302, headers: { location } });

const isPlaylist = (first: Uint8Array) =>
  new TextDecoder().decode(first.subarray(0, 10)).startsWith("#EXTM3U");

/** How many variants and renditions a playlist names. */
function namedIn(playlist: string): number {
  let count = 0;
  for (const _ of playlist.matchAll(/#EXT-X-(?:STREAM-INF|MEDIA):/g)) count++;
  return count;
}

async function textOf(
  first: Uint8Array,
  rest: ReadableStreamDefaultReader<Uint8Array>,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = decoder.decode(first, { stream: true });
  for (let bytes = first.length;;) {
    const { value } = await rest.read();
    if (value === undefined) return text + decoder.decode();
    bytes += value.length;
    if (bytes > MAX_PLAYLIST_BYTES) {
      await rest.cancel();
      throw new HlsFetchFailed(`Cannot read a playlist of more than ${MAX_PLAYLIST_BYTES} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** A stream with the bytes that were read of it in front again. */
function again(
  first: Uint8Array | undefined,
  rest: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let start = first;
  return new ReadableStream({
    async pull(controller) {
      const value = start ?? (await rest.read()).value;
      start = undefined;
      if (value === undefined) controller.close();
      else controller.enqueue(value as Uint8Array<ArrayBuffer>);
    },
    cancel: (reason) => rest.cancel(reason),
  });
}
