import { QumoError, reasonOf, UsageError } from "../../base/errors.ts";
import { ipBytes, isHostName } from "../../config/address.ts";
import { certificateHosts } from "../../config/tls/certificate.ts";
import { replaceFile } from "../../config/tls/made_certificate.ts";
import { PINNABLE_DAYS } from "../../config/tls/pem_pair.ts";
import { selfSigned } from "../../config/tls/self_signed.ts";
import { describeFlags, parseFlags, switchFlag, textFlag } from "../shell/args.ts";
import { print, say } from "../shell/output.ts";

const FLAGS = {
  out: textFlag("DIR", 'Where server.crt and server.key go; "certs" if not given.'),
  hosts: textFlag(
    "A,B",
    "Names and addresses it is for, instead of localhost, 127.0.0.1, ::1 and this machine.",
  ),
  days: textFlag("N", "Days until it ends; 13 if not given."),
  force: switchFlag("Replace files that are there."),
} as const;

export { FLAGS as flags };

export const usage = `Usage: qumo-relay cert [--out DIR] [--hosts A,B] [--days N] [--force]

Makes a self-signed certificate (ECDSA P-256), prints its SHA-256 and what to write in the
configuration. Browsers accept it by that hash for 14 days at most.

${describeFlags(FLAGS)}

Examples:
  qumo-relay cert
  qumo-relay cert --out /etc/qumo-relay/certs --hosts relay.example.com,192.0.2.1 --days 365`;

class CertificateFileError extends QumoError {
  readonly code = "QUMO_CERT_FILE";
}

export async function run(args: readonly string[]): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const dir = flags.out ?? "certs";
  const hosts = hostsOf(flags.hosts);
  const days = daysOf(flags.days);
  const [certFile, keyFile] = [`${dir}/server.crt`, `${dir}/server.key`];
  if (!flags.force) await refuseToReplace([certFile, keyFile]);

  const { cert, key, sha256 } = await selfSigned(hosts, { days });
  try {
    await Deno.mkdir(dir, { recursive: true });
    await replaceFile(keyFile, key, 0o600);
    await replaceFile(certFile, cert, 0o644);
  } catch (cause) {
    const message = `Cannot write the certificate to ${dir}: ${reasonOf(cause)}`;
    throw new CertificateFileError(message, { cause });
  }
  print([
    `sha256 ${sha256.toHex()}`,
    `hosts  ${hosts.join(", ")}`,
    `ends   ${new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)}`,
    "",
    "server:",
    `  cert_file: ${JSON.stringify(certFile)}`,
    `  key_file: ${JSON.stringify(keyFile)}`,
  ].join("\n"));
  if (days >= PINNABLE_DAYS) {
    say("Warning: browsers accept a certificate by its hash only when it lasts less than 14 days");
  }
  return 0;
}

function hostsOf(text: string | undefined): readonly string[] {
  if (text === undefined) return certificateHosts();
  const hosts = text.split(",").map((host) => host.trim()).filter((host) => host !== "");
  const wrong = hosts.find((host) => !isHostName(host) && ipBytes(host) === undefined);
  if (wrong !== undefined) {
    throw new UsageError(`--hosts: "${wrong}" is no host name or IP address`);
  }
  if (hosts.length === 0) throw new UsageError("--hosts needs at least one name or address");
  return hosts;
}

function daysOf(text: string | undefined): number {
  if (text === undefined) return 13;
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > 36_500) {
    throw new UsageError(`--days takes a whole number from 1 to 36500, not "${text}"`);
  }
  return days;
}

async function refuseToReplace(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const there = await Deno.lstat(path).then(() => true, () => false);
    if (there) {
      throw new CertificateFileError(
        `Cannot write ${path}: it is there already; choose another --out, or --force to replace it`,
      );
    }
  }
}
