import { ipBytes, isHostName } from "../address.ts";
import { madeCertificate } from "./made_certificate.ts";
import { type Certificate, checkPair, readPem } from "./pem_pair.ts";

export interface CertificateOptions {
  /** PEM chain of the user. Without it a certificate is made. */
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Directory of the made certificate. */
  readonly dir: string;
  /** Host names and addresses of a made certificate. */
  readonly hosts: readonly string[];
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * The certificate of the server: the user's PEM files when they are set, else one that is made.
 *
 * @throws {TlsSetupError} A file is absent or unreadable, has no certificate or key, or the two do not match. An expired
 *   certificate is a warning only.
 */
export async function loadCertificate(options: CertificateOptions): Promise<Certificate> {
  const { certFile, keyFile, dir, hosts, now = Date.now } = options;
  if (certFile === undefined || keyFile === undefined) {
    return await madeCertificate({ dir, hosts, now: now() });
  }
  return await checkPair(await readPem(certFile), await readPem(keyFile), { now: now() });
}

/** The hosts of a made certificate: all names of this machine, and `extra`. */
export function certificateHosts(extra: readonly string[] = []): string[] {
  const own = ["localhost", "127.0.0.1", "::1", Deno.hostname()];
  // The name of a machine may be invalid in a certificate.
  const usable = own.filter((host) => isHostName(host) || ipBytes(host) !== undefined);
  return [...new Set([...usable, ...extra])];
}
