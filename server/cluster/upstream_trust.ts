import { QumoError, reasonOf } from "../../base/errors.ts";

/** The file with certificate authorities for the upstream relay cannot be used. */
export class UpstreamTrustError extends QumoError {
  readonly code = "QUMO_UPSTREAM_TRUST";
  constructor(file: string, cause: unknown) {
    super(
      `Cannot read relay.upstream_ca_file ${file}: ${reasonOf(cause)}; give the path of a PEM file`,
      { cause },
    );
  }
}

/**
 * The certificates that are trusted for the upstream relay besides those of Deno.
 * @throws {UpstreamTrustError}
 */
export function upstreamTrust(
  { upstreamHash, upstreamCaFile }: {
    readonly upstreamHash?: Uint8Array | undefined;
    readonly upstreamCaFile?: string | undefined;
  },
): { readonly hash?: Uint8Array; readonly caCerts?: readonly string[] } {
  return {
    ...(upstreamHash === undefined ? {} : { hash: upstreamHash }),
    ...(upstreamCaFile === undefined ? {} : { caCerts: [readPemFile(upstreamCaFile)] }),
  };
}

function readPemFile(file: string): string {
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (error) {
    throw new UpstreamTrustError(file, error);
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new UpstreamTrustError(file, new Error("it holds no CERTIFICATE block"));
}
