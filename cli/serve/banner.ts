import type { Certificate } from "../../config/tls/pem_pair.ts";

/** One listener of the server: `{ name: "QUIC, WebTransport", address: "[::]:4433/udp" }`. */
export interface Listener {
  readonly name: string;
  readonly address: string;
}

export interface BannerFacts {
  readonly version: string;
  readonly listeners: readonly Listener[];
  /** URL of the pages; absent when HTTP is off. */
  readonly pageUrl?: string;
  readonly certificate: Pick<Certificate, "sha256" | "notAfterMs">;
  readonly warnings: readonly string[];
  /** An important warning: it comes last, in a frame. */
  readonly alarm?: string;
  /** Whether the terminal has colours. */
  readonly color?: boolean;
}

const RED = "\x1b[1;31m";
const PLAIN = "\x1b[0m";

/** The text that the program prints once it listens. */
export function banner(facts: BannerFacts): string {
  const { version, listeners, pageUrl, certificate, warnings, alarm, color = false } = facts;
  const rows = [
    ...listeners.map(({ name, address }) => [name, address] as const),
    ...(pageUrl === undefined ? [] : [["page", pageUrl] as const]),
    ["certificate sha256", certificate.sha256.toHex()] as const,
    [
      "certificate ends",
      new Date(certificate.notAfterMs).toISOString().slice(0, 16) + "Z",
    ] as const,
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `qumo-relay ${version}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    ...warnings.map((warning) => `! ${warning.replaceAll("\n", "\n  ")}`),
    ...(alarm === undefined ? [] : framed(alarm, color)),
  ].join("\n");
}

function framed(text: string, color: boolean): string[] {
  const lines = text.split("\n").map((line) => `!! ${line}`);
  const rule = "!".repeat(Math.max(...lines.map((line) => line.length)));
  const [before, after] = color ? [RED, PLAIN] : ["", ""];
  return [rule, ...lines, rule].map((line) => before + line + after);
}

export interface WarningFacts {
  readonly certificate: Pick<Certificate, "selfSigned" | "pinnable" | "made" | "warnings">;
  /** Of `accessWarning()`, unless it is an alarm. */
  readonly access?: string | undefined;
  /** Of `socketBufferWarning()`. */
  readonly socketBuffers: string | undefined;
}

/** Warnings at the start of a server. */
export function startWarnings({ certificate, access, socketBuffers }: WarningFacts): string[] {
  const warnings: string[] = [];
  if (access !== undefined) warnings.push(access);
  if (certificate.selfSigned) {
    const how = certificate.pinnable
      ? "clients must be given its hash (GET /certificate.sha256)"
      : "browsers do not accept it by its hash (that takes ECDSA P-256 for at most 14 days)";
    warnings.push(`the certificate is self-signed: ${how}`);
  }
  warnings.push(...certificate.warnings);
  if (socketBuffers !== undefined) warnings.push(socketBuffers);
  return warnings;
}
