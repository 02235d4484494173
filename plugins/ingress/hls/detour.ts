/**
 * Addresses as ffmpeg sees them. It speaks plain HTTP, to our proxy alone, so the scheme "https" becomes the first label of the
 * host's name. Relative addresses in a playlist stay right by themselves.
 *
 * @module
 */

import { isIpv4 } from "../../../config/address.ts";

const SECURE = "https.";
/** Stands before an IP address, which cannot follow a label as it is. */
const [IPV4, IPV6] = ["ipv4-", "ipv6-"];

/** An address as ffmpeg is given it. @param url http or https. */
export function detourOf(url: URL): string {
  const { protocol, hostname, port, pathname, search } = url;
  if (protocol === "http:") return `http://${url.host}${pathname}${search}`;
  return `http://${SECURE}${labelled(hostname)}${
    port === "" ? "" : `:${port}`
  }${pathname}${search}`;
}

/** The address that a request of ffmpeg means. @returns `undefined` if it is none. */
export function meantBy(asked: string): URL | undefined {
  const url = URL.parse(asked);
  if (url === null || url.protocol !== "http:") return undefined;
  if (!url.hostname.startsWith(SECURE)) return url;
  const host = unlabelled(url.hostname.slice(SECURE.length));
  const port = url.port === "" ? "" : `:${url.port}`;
  return URL.parse(`https://${host}${port}${url.pathname}${url.search}`) ?? undefined;
}

/**
 * A playlist whose absolute addresses lead to the proxy. An address that is overlooked leads there as well, without TLS: safety
 * does not depend on this.
 */
export function detoured(playlist: string, from: URL): string {
  const secure = from.protocol === "https:" ? SECURE : "";
  return playlist
    .replace(
      /https:\/\/(?:[^\s"'/?#@]*@)?(\[[0-9a-f:.]{2,45}\]|[^\s"'/?#:,[]*)/gi,
      (_, host) => `http://${SECURE}${labelled(host)}`,
    )
    // "//host/path" has the scheme of its playlist.
    .replace(/(^|URI="?)\/\/(?=[^/])/gim, `$1http://${secure}`);
}

function labelled(host: string): string {
  if (host.startsWith("[")) return `${IPV6}${host.slice(1, -1).replaceAll(":", "-")}`;
  return isIpv4(host) ? `${IPV4}${host.replaceAll(".", "-")}` : host;
}

function unlabelled(label: string): string {
  if (label.startsWith(IPV6)) return `[${label.slice(IPV6.length).replaceAll("-", ":")}]`;
  return label.startsWith(IPV4) ? label.slice(IPV4.length).replaceAll("-", ".") : label;
}
