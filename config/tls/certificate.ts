import { ipBytes, isHostName } from "../address.ts";
import { madeCertificate } from "./made_certificate.ts";
import { type Certificate, checkPair, readPem } from "./pem_pair.ts";

export interface CertificateOptions {
  /** PEM chain of the user; without it a certificate is made. */
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Where a made certificate is kept. */
  readonly dir: string;
  /** Names and addresses a made certificate is for. */
  readonly hosts: readonly string[];
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * The certificate the server shows: the user's PEM files when they are set, else one it makes.
 *
 * @throws {TlsSetupError} A file is absent, unreadable, holds no certificate or key, or the two do
 *   not match. A certificate that expired is a warning: clients then say so themselves.
 */
export async function loadCertificate(options: CertificateOptions): Promise<Certificate> {
  const { certFile, keyFile, dir, hosts, now = Date.now } = options;
  if (certFile === undefined || keyFile === undefined) {
    return await madeCertificate({ dir, hosts, now: now() });
  }
  return await checkPair(await readPem(certFile), await readPem(keyFile), { now: now() });
}

/** The hosts a made certificate is for: this machine under every name, and `extra`. */
export function certificateHosts(extra: readonly string[] = []): string[] {
  const own = ["localhost", "127.0.0.1", "::1", Deno.hostname()];
  // A machine may carry a name that no certificate can hold.
  const usable = own.filter((host) => isHostName(host) || ipBytes(host) !== undefined);
  return [...new Set([...usable, ...extra])];
}
