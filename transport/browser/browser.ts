/**
 * WebTransport of browsers. A browser does not tell why a session failed, so the errors give advice.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { BrowserConnection } from "./browser_connection.ts";
import type { PinnedUrl } from "../fetched_hash.ts";
import type { Connection } from "../connection.ts";
import { ConnectFailed, HandshakeFailed, NoWebTransport } from "../errors.ts";
import type { WebTransportConnectOptions } from "../webtransport/webtransport_client.ts";

/**
 * Connects from a browser: `https:` as it is; `http:` fetches the certificate's hash from `/certificate.sha256` first and
 * accepts that certificate alone.
 *
 * @throws {NoWebTransport} @throws {HandshakeFailed} @throws {ConnectFailed} Unknown scheme, options that no browser has,
 *   no answer in time, or given up.
 */
export async function dialBrowser(
  url: string | URL,
  options: WebTransportConnectOptions,
): Promise<Connection> {
  const asked = new URL(url);
  refuseWhatBrowsersCannot(asked, options);
  const signal = AbortSignal.any([
    AbortSignal.timeout(options.timeoutMs ?? 10_000),
    ...(options.signal ? [options.signal] : []),
  ]);
  // Loaded for development alone.
  const fetched = asked.protocol === "http:"
    ? await (await import("../fetched_hash.ts")).fetchHash(asked, signal)
    : undefined;
  const at: Partial<PinnedUrl> & { url: URL } = fetched ??
    { url: asked, ...(options.hash ? { hash: Uint8Array.from(options.hash) } : {}) };
  let transport: WebTransport | undefined;
  const gone = Promise.withResolvers<never>();
  const onAbort = () => gone.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    transport = new WebTransport(at.url.href, transportOptions(at.hash, options.protocols));
    transport.closed.catch(ignore);
    await Promise.race([transport.ready, gone.promise]);
    const { pathname, search, host } = asked;
    return new BrowserConnection(transport, {
      kind: "webtransport",
      path: pathname + search,
      remoteAddress: host,
    });
  } catch (cause) {
    transport?.close();
    const detail = reasonOf(cause);
    if (!signal.aborted) {
      const advice = adviceFor(options, fetched !== undefined);
      throw new HandshakeFailed(asked.href, detail, advice, { cause });
    }
    const timedOut = cause instanceof DOMException && cause.name === "TimeoutError";
    const why = timedOut
      ? "no answer in time; is a relay there, and does UDP get through?"
      : detail;
    throw new ConnectFailed(asked.href, why, undefined, { cause });
  } finally {
    signal.removeEventListener("abort", onAbort);
    transport?.ready.catch(ignore);
  }
}

/** @throws {NoWebTransport} @throws {ConnectFailed} */
function refuseWhatBrowsersCannot(url: URL, options: WebTransportConnectOptions): void {
  const refuse = (why: string) => {
    throw new ConnectFailed(url.href, why);
  };
  if ("Deno" in globalThis) requireWebTransport(url);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    refuse(`${url.protocol}// needs raw QUIC, which only Deno has here; use https:// or http://`);
  }
  if (options.headers !== undefined && Object.keys(options.headers).length > 0) {
    refuse("a browser sends no headers of one's own; put a token into the query (?jwt=…)");
  }
  if (options.caCerts !== undefined && options.caCerts.length > 0) {
    refuse("a browser has its own root certificates (no caCerts); pin the server's with `hash`");
  }
  requireWebTransport(url);
}

/** @throws {NoWebTransport} This runtime has no WebTransport. */
export function requireWebTransport(url: URL): void {
  if (typeof globalThis.WebTransport === "function") return;
  throw new NoWebTransport(url.href, whereIsWebTransport());
}

/** Why there is no WebTransport, and what helps. */
function whereIsWebTransport(): string {
  const here = globalThis as { isSecureContext?: boolean; Deno?: unknown; document?: unknown };
  if (here.isSecureContext === false) {
    return "browsers have WebTransport in secure pages only; serve the page over https:// or as http://localhost";
  }
  if (here.Deno !== undefined) {
    return "QUIC is switched off; run with --unstable-net, as in `deno run -A --unstable-net FILE`";
  }
  if (here.document === undefined) {
    return "this runtime has no WebTransport; connect from Deno or a browser, or give Client.over() a connection";
  }
  return "this browser has no WebTransport; use a current Chrome, Edge, Firefox or Safari";
}

function transportOptions(
  hash: Uint8Array<ArrayBuffer> | undefined,
  protocols: readonly string[],
): WebTransportOptions {
  const options: WebTransportOptions & { protocols: string[] } = {
    protocols: [...protocols],
    congestionControl: "low-latency",
    requireUnreliable: true,
  };
  if (hash !== undefined) options.serverCertificateHashes = [{ algorithm: "sha-256", value: hash }];
  return options;
}

/** Advice on what to check. */
function adviceFor(options: WebTransportConnectOptions, fetched: boolean): string {
  const refusal = `the server refuses the path, the token or the versions (${
    options.protocols.join(", ")
  })`;
  if (fetched) return `HTTP reaches it, so either UDP is held back on the way, or ${refusal}`;
  const certificate = options.hash
    ? "the certificate is not the pinned one, or lasts longer than the two weeks allowed with a hash"
    : "the browser does not trust the certificate (pin a self-made one with `hash`, or use http://)";
  return `the browser does not say more: no server there, UDP held back, ${certificate}, or ${refusal}`;
}

function ignore(): void {}
