import { reasonOf } from "../../base/errors.ts";
import { type CertificateOptions, loadCertificate } from "./certificate.ts";
import { RENEW_BEFORE_MS } from "./made_certificate.ts";
import { type Certificate, checkPair, type PemFile, readPem, TlsSetupError } from "./pem_pair.ts";
import { sleep } from "../../base/sleep.ts";

export interface WatchOptions extends CertificateOptions {
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Gets each new certificate. The next check waits for it. */
  readonly onChange: (certificate: Certificate) => void | Promise<void>;
  /** Gets why a replaced pair cannot be used. The certificate in use stays. */
  readonly onProblem: (error: TlsSetupError) => void;
  /** Time between two checks, in milliseconds. */
  readonly intervalMs?: number;
  /** Waits; resolves early when the signal aborts. */
  readonly delay?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Watches for replaced PEM files, and replaces a made certificate before it expires.
 *
 * It compares contents, not times, so it sees renames, links and restored backups. A bad pair is reported if it is still bad
 * at the next check: two files cannot be replaced in one step, and a file may be half written.
 *
 * @returns When the signal aborts.
 */
export async function watchCertificate(
  current: Certificate,
  options: WatchOptions,
): Promise<void> {
  const { signal, intervalMs = 5_000, delay = sleep } = options;
  const look = current.made ? renewal(current, options) : replacement(current, options);
  /** A new certificate that `onChange` refused. It gets it again at each check. */
  let refused: Certificate | undefined;
  while (!signal.aborted) {
    await delay(intervalMs, signal);
    if (signal.aborted) return;
    let next: Certificate | undefined;
    try {
      next = await look() ?? refused;
      if (next) await options.onChange(next);
      refused = undefined;
    } catch (error) {
      if (next === undefined || next !== refused) options.onProblem(asTlsError(error));
      refused = next ?? refused;
    }
  }
}

type Look = () => Promise<Certificate | undefined>;

function renewal(first: Certificate, options: WatchOptions): Look {
  const { now = Date.now } = options;
  let current = first;
  return async () => {
    if (current.notAfterMs - now() > RENEW_BEFORE_MS) return undefined;
    current = await loadCertificate(options);
    return current;
  };
}

function replacement(first: Certificate, options: WatchOptions): Look {
  const { certFile = "", keyFile = "", now = Date.now } = options;
  let current = first;
  let seen = "";
  /** The bad pair of the last check, and whether it was reported. */
  let bad = "";
  let reported = false;
  return async () => {
    const [cert, key] = [await readPem(certFile), await readPem(keyFile)];
    const contents = contentsOf(cert) + contentsOf(key);
    if (contents === seen) return undefined;
    try {
      const next = await checkPair(cert, key, { now: now() });
      seen = contents;
      bad = "";
      if (next.cert === current.cert && next.key === current.key) return undefined;
      current = next;
      return next;
    } catch (error) {
      const again = contents === bad;
      if (!again) [bad, reported] = [contents, false];
      if (!again || reported) return undefined;
      reported = true;
      throw error;
    }
  };
}

const contentsOf = ({ text, error }: PemFile) => text ?? `error: ${reasonOf(error)}`;

function asTlsError(error: unknown): TlsSetupError {
  if (error instanceof TlsSetupError) return error;
  const message = `the new certificate could not be taken into use: ${reasonOf(error)}`;
  return new TlsSetupError([{ setting: "server.cert_file", message }], { cause: error });
}
