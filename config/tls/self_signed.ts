import { concat } from "../../base/bytes.ts";
import { ipBytes } from "../address.ts";

const DAY_MS = 86_400_000;

export interface SelfSignedOptions {
  /** Milliseconds since 1970. The certificate is valid from one minute earlier. */
  readonly now?: number;
  /** Days until it expires. Browsers accept it by its hash for at most 14. */
  readonly days?: number;
}

/** A certificate and its key as PEM texts, and the SHA-256 of the certificate's DER. */
export interface SelfSigned {
  readonly cert: string;
  readonly key: string;
  readonly sha256: Uint8Array<ArrayBuffer>;
}

/**
 * Makes an ECDSA P-256 certificate that a browser accepts by its hash.
 *
 * @param hosts Its DNS names and IP addresses. The first is its common name.
 * @throws {RangeError} When `hosts` is empty.
 * @see https://www.w3.org/TR/webtransport/#custom-certificate-requirements
 * @see RFC 5280 §4.1
 */
export async function selfSigned(
  hosts: readonly string[],
  { now = Date.now(), days = 13 }: SelfSignedOptions = {},
): Promise<SelfSigned> {
  if (hosts.length === 0) throw new RangeError("a certificate needs at least one host");
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey));
  const privateKey = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));

  const name = sequence(der(SET, sequence(oid("550403"), der(UTF8_STRING, ascii(hosts[0]!)))));
  const toBeSigned = sequence(
    der(0xa0, integer(Uint8Array.of(2))), // version 3
    integer(crypto.getRandomValues(new Uint8Array(16))),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(now - 60_000), time(now + days * DAY_MS)),
    name,
    publicKey,
    der(0xa3, sequence(...extensions(hosts))),
  );
  const signed = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    keys.privateKey,
    toBeSigned,
  );
  const [r, s] = [new Uint8Array(signed, 0, 32), new Uint8Array(signed, 32)];
  const signature = sequence(integer(r), integer(s));
  const certificate = sequence(toBeSigned, ECDSA_WITH_SHA256, bits(0, signature));
  return {
    cert: pem("CERTIFICATE", certificate),
    key: pem("PRIVATE KEY", privateKey),
    sha256: new Uint8Array(await crypto.subtle.digest("SHA-256", certificate)),
  };
}

type Bytes = Uint8Array<ArrayBuffer>;

/** The extensions of RFC 5280 §4.2 that TLS clients check. */
function extensions(hosts: readonly string[]): Bytes[] {
  const names = hosts.map((host) => {
    const ip = ipBytes(host);
    return ip ? der(0x87, ip) : der(0x82, ascii(host));
  });
  const critical = der(BOOLEAN, Uint8Array.of(0xff));
  return [
    // Not an authority: Rust clients refuse the certificate of an authority.
    sequence(oid("551d13"), critical, der(OCTET_STRING, sequence())),
    sequence(oid("551d0f"), critical, der(OCTET_STRING, bits(7, Uint8Array.of(0x80)))), // may sign
    sequence(oid("551d25"), der(OCTET_STRING, sequence(oid("2b06010505070301")))), // TLS server
    sequence(oid("551d11"), der(OCTET_STRING, sequence(...names))),
  ];
}

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;

const ECDSA_WITH_SHA256 = sequence(oid("2a8648ce3d040302"));

/** One element of DER: tag, length, contents (X.690 §8.1). */
function der(tag: number, ...parts: Uint8Array[]): Bytes {
  const contents = concat(parts);
  const size = contents.length;
  const length = size < 0x80
    ? [size]
    : size < 0x100
    ? [0x81, size]
    : [0x82, size >> 8, size & 0xff];
  return concat([Uint8Array.of(tag, ...length), contents]);
}

function sequence(...parts: Uint8Array[]): Bytes {
  return der(SEQUENCE, ...parts);
}

function oid(hex: string): Bytes {
  return der(OBJECT_IDENTIFIER, Uint8Array.fromHex(hex));
}

function bits(unused: number, contents: Uint8Array): Bytes {
  return der(BIT_STRING, Uint8Array.of(unused), contents);
}

/** A non-negative number: no leading zeros, but one where the first bit is set. */
function integer(bigEndian: Uint8Array): Bytes {
  const first = bigEndian.findIndex((byte) => byte !== 0);
  const digits = bigEndian.subarray(first === -1 ? bigEndian.length - 1 : first);
  return digits[0]! & 0x80 ? der(INTEGER, Uint8Array.of(0), digits) : der(INTEGER, digits);
}

/** Two-digit years up to 2049, four digits from then on (RFC 5280 §4.1.2.5). */
function time(ms: number): Bytes {
  const digits = new Date(ms).toISOString().replace(/[-:T]/g, "").slice(0, 14) + "Z";
  return Number(digits.slice(0, 4)) < 2050
    ? der(UTC_TIME, ascii(digits.slice(2)))
    : der(GENERALIZED_TIME, ascii(digits));
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function pem(label: string, contents: Uint8Array): string {
  const lines = contents.toBase64().match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
