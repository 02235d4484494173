import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { QumoError, reasonOf } from "../../base/errors.ts";

const DAY_MS = 86_400_000;

/** Browsers take a certificate by its hash only up to this age (WebTransport). */
export const PINNABLE_DAYS = 14;

/** A certificate with its key. They were checked to match. */
export interface Certificate {
  /** The chain as PEM, the server's own certificate first. */
  readonly cert: string;
  /** The private key as PEM. Never logged. */
  readonly key: string;
  /** SHA-256 of the DER of the server's own certificate. */
  readonly sha256: Uint8Array<ArrayBuffer>;
  /** Its DNS names and IP addresses. */
  readonly hosts: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Whether it is self-signed: clients need its hash or must trust it by hand. */
  readonly selfSigned: boolean;
  /** Whether browsers accept it by its hash: ECDSA P-256 for at most 14 days. */
  readonly pinnable: boolean;
  /** Whether this program made it. Then it also replaces it. */
  readonly made: boolean;
  /** Problems that do not stop the server. */
  readonly warnings: readonly string[];
}

/** A problem of one of the two files. */
export interface TlsProblem {
  readonly setting: "server.cert_file" | "server.key_file" | "server.cert_dir";
  readonly message: string;
}

/** The certificate or its key cannot be used. The message has the file, the cause and the remedy. */
export class TlsSetupError extends QumoError {
  readonly code = "QUMO_TLS_SETUP";
  constructor(readonly problems: readonly TlsProblem[], options?: ErrorOptions) {
    super(`Failed to setup TLS: ${problems.map((p) => p.message).join("\n  ")}`, options);
  }
}

/** The text of one PEM file, or why there is none. */
export interface PemFile {
  readonly path: string;
  readonly text?: string;
  readonly error?: unknown;
}

export async function readPem(path: string): Promise<PemFile> {
  try {
    return { path, text: await Deno.readTextFile(path) };
  } catch (error) {
    return { path, error };
  }
}

/**
 * Checks a certificate and its key.
 *
 * @param now Milliseconds since 1970, for the warnings about dates.
 * @throws {TlsSetupError} With every problem of the two files.
 */
export async function checkPair(
  certFile: PemFile,
  keyFile: PemFile,
  options: { readonly now: number; readonly made?: boolean },
): Promise<Certificate> {
  const problems: TlsProblem[] = [];
  const attempt = <T>(setting: TlsProblem["setting"], file: PemFile, read: () => T) => {
    try {
      return read();
    } catch (error) {
      problems.push({ setting, message: `${file.path} (${setting}): ${reasonOf(error)}` });
      return undefined;
    }
  };
  const chain = attempt("server.cert_file", certFile, () => chainOf(certFile));
  const key = attempt("server.key_file", keyFile, () => keyOf(keyFile));
  if (!chain || !key) throw new TlsSetupError(problems);

  const { x509, cert } = chain;
  if (!x509.checkPrivateKey(key.object)) {
    throw new TlsSetupError([{
      setting: "server.key_file",
      message: `the key in ${keyFile.path} does not match the certificate in ${certFile.path}; ` +
        "take the two files that were made together",
    }]);
  }
  const notBeforeMs = Date.parse(x509.validFrom);
  const notAfterMs = Date.parse(x509.validTo);
  const hosts = hostsOf(x509);
  return {
    cert,
    key: key.pem,
    sha256: new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(x509.raw))),
    hosts,
    notBeforeMs,
    notAfterMs,
    selfSigned: x509.subject === x509.issuer,
    pinnable: isP256(x509) && notAfterMs - notBeforeMs <= PINNABLE_DAYS * DAY_MS,
    made: options.made ?? false,
    warnings: warningsAbout(certFile.path, { hosts, notBeforeMs, notAfterMs, now: options.now }),
  };
}

function textOf({ text, error }: PemFile): string {
  if (text !== undefined) return text;
  if (error instanceof Deno.errors.NotFound) {
    throw new Error(
      "no such file; make a pair with `qumo-relay cert --out certs`, see certs/README.md, or leave " +
        "both settings out to have one made",
      { cause: error },
    );
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    throw new Error("permission denied; let the user of this process read it", { cause: error });
  }
  throw error;
}

function chainOf(file: PemFile): { readonly cert: string; readonly x509: X509Certificate } {
  const blocks = blocksOf(textOf(file), "CERTIFICATE");
  if (blocks.length === 0) {
    throw new Error("holds no CERTIFICATE block; it must be PEM text, the server's own one first");
  }
  try {
    return { cert: blocks.join(""), x509: new X509Certificate(blocks[0]!) };
  } catch (cause) {
    throw new Error(`holds no readable certificate (${reasonOf(cause)}); make or copy it again`, {
      cause,
    });
  }
}

function keyOf(file: PemFile): { readonly pem: string; readonly object: KeyObject } {
  const text = textOf(file);
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type:.*ENCRYPTED/m.test(text)) {
    throw new Error(
      "is locked with a passphrase; write it without: `openssl pkey -in FILE -out NEW_FILE`",
    );
  }
  const [pem] = blocksOf(text, "(?:EC |RSA )?PRIVATE KEY");
  if (!pem) throw new Error("holds no PRIVATE KEY block; it must be PEM text");
  try {
    return { pem, object: createPrivateKey(pem) };
  } catch (cause) {
    throw new Error(`holds no readable private key (${reasonOf(cause)}); make or copy it again`, {
      cause,
    });
  }
}

/** PEM blocks of one kind (RFC 7468), each with its line end, without the text around them. */
function blocksOf(text: string, label: string): string[] {
  const block = new RegExp(`-----BEGIN (${label})-----\\s[^-]*-----END \\1-----`, "g");
  return [...text.matchAll(block)].map(([found]) => found.replaceAll("\r\n", "\n") + "\n");
}

/** Host names and addresses of the first certificate of a PEM chain; empty when it cannot be read. */
export function certifiedHosts(pem: string): string[] {
  try {
    return hostsOf(new X509Certificate(pem));
  } catch {
    return [];
  }
}

function hostsOf(x509: X509Certificate): string[] {
  const names = x509.subjectAltName?.split(", ") ?? [];
  return names.flatMap((name) => /^(?:DNS|IP Address):(.*)$/.exec(name)?.[1] ?? []);
}

function isP256(x509: X509Certificate): boolean {
  const { asymmetricKeyType, asymmetricKeyDetails } = x509.publicKey;
  return asymmetricKeyType === "ec" &&
    ["prime256v1", "P-256", "p256"].includes(asymmetricKeyDetails?.namedCurve ?? "");
}

interface Facts {
  readonly hosts: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly now: number;
}

function warningsAbout(path: string, { hosts, notBeforeMs, notAfterMs, now }: Facts): string[] {
  const warnings: string[] = [];
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  if (now > notAfterMs) {
    warnings.push(
      `the certificate in ${path} expired on ${day(notAfterMs)}; clients will refuse it`,
    );
  }
  if (now < notBeforeMs) {
    warnings.push(
      `the certificate in ${path} is valid only from ${day(notBeforeMs)}; check the clock`,
    );
  }
  if (hosts.length === 0) {
    warnings.push(
      `the certificate in ${path} names no host (subjectAltName); clients will refuse it`,
    );
  }
  return warnings;
}
