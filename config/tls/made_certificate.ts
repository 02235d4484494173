import { reasonOf } from "../../base/errors.ts";
import { ipBytes } from "../address.ts";
import { type Certificate, checkPair, readPem, TlsSetupError } from "./pem_pair.ts";
import { selfSigned } from "./self_signed.ts";

const DAY_MS = 86_400_000;

/** Own file names: files of the user in the same directory are never overwritten. */
const CERT_NAME = "dev.crt";
const KEY_NAME = "dev.key";

/** A made certificate is replaced when it expires within this time. */
export const RENEW_BEFORE_MS = DAY_MS;

export interface MadeOptions {
  /** Directory of the pair. */
  readonly dir: string;
  readonly hosts: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The certificate that this program makes. It is the one in `dir` as long as it is valid for more than a day and has every
 * host, else a new one. If `dir` cannot be written, the pair is only in memory, with a warning.
 */
export async function madeCertificate({ dir, hosts, now }: MadeOptions): Promise<Certificate> {
  const kept = await keptCertificate(dir, now);
  if (kept && stillGood(kept, hosts, now)) return kept;

  const { cert, key } = await selfSigned(hosts, { now });
  const [certPath, keyPath] = [`${dir}/${CERT_NAME}`, `${dir}/${KEY_NAME}`];
  const made = await checkPair(
    { path: certPath, text: cert },
    { path: keyPath, text: key },
    { now, made: true },
  );
  try {
    await Deno.mkdir(dir, { recursive: true });
    await replaceFile(keyPath, key, 0o600);
    await replaceFile(certPath, cert, 0o644);
    return made;
  } catch (error) {
    const warning = `the certificate that was made is not kept, as ${dir} cannot be written ` +
      `(${reasonOf(error)}); its hash will change with the next start`;
    return { ...made, warnings: [...made.warnings, warning] };
  }
}

async function keptCertificate(dir: string, now: number): Promise<Certificate | undefined> {
  const files = [
    await readPem(`${dir}/${CERT_NAME}`),
    await readPem(`${dir}/${KEY_NAME}`),
  ] as const;
  try {
    return await checkPair(...files, { now, made: true });
  } catch (error) {
    if (error instanceof TlsSetupError) return undefined; // absent or broken: a new one is made
    throw error;
  }
}

function stillGood(kept: Certificate, hosts: readonly string[], now: number): boolean {
  const named = new Set(kept.hosts.map(canonical));
  return kept.pinnable && kept.notBeforeMs <= now && kept.notAfterMs - now > RENEW_BEFORE_MS &&
    hosts.every((host) => named.has(canonical(host)));
}

/** One spelling per host: an IPv6 address has many. */
const canonical = (host: string) => ipBytes(host)?.toHex() ?? host.toLowerCase();

/** Writes a file: a reader sees the old or the new text, never a part. */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await Deno.writeTextFile(temporary, text, { mode, createNew: true });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // it may not exist
    throw error;
  }
}
