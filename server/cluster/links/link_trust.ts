import { QumoError, reasonOf } from "../../../base/errors.ts";

/** The file with certificate authorities for other relays cannot be used. */
export class LinkTrustError extends QumoError {
  readonly code = "QUMO_LINK_TRUST";
  /** @param setting As in a file: "relay.upstream_ca_file". */
  constructor(setting: string, file: string, cause: unknown) {
    super(
      `Cannot read ${setting} ${file}: ${reasonOf(cause)}; give the path of a PEM file`,
      { cause },
    );
  }
}

/** Which certificates another relay may have, besides those that Deno trusts. */
export interface LinkTrust {
  readonly hash?: Uint8Array;
  readonly caCerts?: readonly string[];
}

/**
 * Reads the file of authorities that a setting names.
 * @throws {LinkTrustError}
 */
export function authorities(setting: string, file: string | undefined): LinkTrust {
  if (file === undefined) return {};
  try {
    return { caCerts: [readPemFile(file)] };
  } catch (cause) {
    throw new LinkTrustError(setting, file, cause);
  }
}

/** @throws {Error} It cannot be read, or holds no certificate. */
function readPemFile(file: string): string {
  const text = Deno.readTextFileSync(file);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new Error("it holds no CERTIFICATE block");
}
