/** An address to listen on or to dial. */
export interface Address {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly hostname: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

/** Where a relay serves the public, and where its admin interface listens, unless its configuration says otherwise. */
export const PUBLIC_PORT = 4433;
export const ADMIN_ADDRESS = "127.0.0.1:9090";

/** What an address looks like, for error messages. */
export const ADDRESS_HINT = 'an address and port like "[::]:4433", "0.0.0.0:4433" or ":4433"';

/**
 * Reads "host:port", "[ipv6]:port" or ":port" (every interface, IPv4 and IPv6).
 *
 * @returns `undefined` when the text is not an address.
 */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text.trim());
  if (!match) return undefined;
  const port = Number(match[3]);
  if (port > 65_535) return undefined;
  if (match[1] !== undefined) {
    return isIpv6(match[1]) ? { hostname: match[1], port } : undefined;
  }
  const hostname = match[2]!;
  if (hostname === "") return { hostname: "::", port };
  return isIpv4(hostname) || isHostName(hostname) ? { hostname, port } : undefined;
}

/** Writes an address the way `parseAddress()` reads it. */
export function formatAddress({ hostname, port }: Address): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** The host of a URL for the other functions of this file: an IPv6 address without brackets. */
export function unbracketed(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}

/** Whether it is an IP address, not a name. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

/** Whether the address can only be reached from this machine. */
export function isLoopback(hostname: string): boolean {
  // "127.example.org" is a name: its owner chooses the address.
  return hostname === "localhost" || hostname === "::1" ||
    (hostname.startsWith("127.") && isIpv4(hostname));
}

export function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((p) => /^\d{1,3}$/.test(p) && Number(p) <= 255);
}

export function isIpv6(text: string): boolean {
  return /^[\da-f.]*:[\da-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]/`);
}

/** Whether it is a DNS name: RFC 1123 labels, and underscores, which some machines have. */
export function isHostName(text: string): boolean {
  if (text.length > 253 || /^[\d.]+$/.test(text)) return false;
  return text.split(".").every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
}

/** Reads a DNS name with a port or without: "relay.example", "relay.example:4433". @returns `undefined` when it is neither. */
export function parseNamed(
  text: string,
): { readonly name: string; readonly port?: number } | undefined {
  const [, name = "", port] = /^([^:]+?)\.?(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (!isHostName(name) || isIpv4(name) || Number(port ?? 1) > 65_535) return undefined;
  return { name, ...(port === undefined ? {} : { port: Number(port) }) };
}

/** Reads the address of a name server: an IP address, with a port or without. @returns `undefined` when it is none. */
export function parseNameServer(text: string): Address | undefined {
  if (isIpAddress(text)) return { hostname: text, port: 53 };
  const address = parseAddress(text);
  return address !== undefined && !text.startsWith(":") && isIpAddress(address.hostname)
    ? address
    : undefined;
}

/** Whether a host of a certificate, a name or a wildcard like "*.site.example", is this name. Both in lower case. */
export function coversHost(host: string, name: string): boolean {
  return host === name || host.startsWith("*.") && name.slice(name.indexOf(".")) === host.slice(1);
}

/**
 * The bytes of an IP address, as certificates carry them (RFC 5280 §4.2.1.6).
 *
 * @returns 4 or 16 bytes, or `undefined` when the text is not an IP address.
 */
export function ipBytes(text: string): Uint8Array | undefined {
  if (isIpv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIpv6(text)) return undefined;
  // The URL parser writes every form of an IPv6 address as hexadecimal groups around one "::".
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = new Array<string>(8 - left.length - right.length).fill("0");
  const groups = [...left, ...zeros, ...right].map((g) => parseInt(g, 16));
  return Uint8Array.from(groups.flatMap((g) => [g >> 8, g & 0xff]));
}

/**
 * What is counted as one address: an IPv4 address, or an IPv6 network of 64 bits, since one customer has at least that.
 */
export function networkOf(hostname: string): string {
  const bytes = ipBytes(hostname);
  if (bytes === undefined || bytes.length === 4) return hostname;
  const mapped = bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 255 &&
    bytes[11] === 255;
  return mapped ? bytes.subarray(12).join(".") : `${bytes.subarray(0, 8).toHex()}/64`;
}

/** Whether it is an origin of web pages as browsers write it (RFC 6454 §6.2): "https://ops.example:8443", without a path. */
export function isWebOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}
