import { withToken } from "../../client/reconnect.ts";
import { connect, type ConnectOptions, QumoError } from "../../client/mod.ts";
import { parseDurationMs } from "../../base/units.ts";
import { reasonOf, UsageError } from "../../base/errors.ts";
import { VERSIONS } from "../../wire/versions.ts";
import { type FlagTable, textFlag } from "./args.ts";
import { remedyFor } from "./remedy.ts";

/** Flags of the commands that dial a relay. */
export const CONNECT_FLAGS = {
  hash: textFlag(
    "HEX",
    "Accept the one certificate with this SHA-256 (GET /certificate.sha256 tells it).",
  ),
  token: textFlag("TOKEN", "Show this token to the relay; the same as ?jwt=TOKEN in the URL."),
  ca: textFlag("FILE", "Also accept certificates signed by these (PEM)."),
  version: textFlag(
    "NAME",
    "Speak this version, like moq-transport-18, or the first common one of A,B; those of moq-lite if not given.",
    { choices: VERSIONS },
  ),
} as const satisfies FlagTable;

/** The flag of commands that go on at another node. */
export const ALSO_FLAG = {
  also: textFlag(
    "URL",
    "Go on at this node of the cluster, or the first good one of A,B, when the other is lost, full or leaving.",
  ),
} as const satisfies FlagTable;

/** How the schemes differ, for the help. */
export const URL_HELP = `URL is where the relay is:
  http://HOST:PORT/   WebTransport; the certificate's hash is taken from the relay. For development.
  https://HOST:PORT/  WebTransport
  wss://HOST:PORT/    WebSocket, where UDP does not get through (ws:// without TLS)
  moqt://HOST:PORT/   QUIC
A path in it stands before the name of every broadcast.`;

/** No session came about; the message ends with what can be done. */
class NotConnected extends QumoError {
  readonly code = "QUMO_NOT_CONNECTED";
}

/** Reads the flags once, so that a wrong one is told before anything begins. @throws {UsageError} */
export async function connectOptionsOf(flags: {
  readonly hash?: string;
  readonly ca?: string;
  readonly token?: string;
  readonly version?: string;
}): Promise<ConnectOptions> {
  return {
    ...(flags.hash === undefined ? {} : { hash: hashOf(flags.hash) }),
    ...(flags.token === undefined ? {} : { token: flags.token }),
    ...(flags.ca === undefined ? {} : { caCerts: [await readCa(flags.ca)] }),
    ...(flags.version === undefined ? {} : { versions: versionsOf(flags.version) }),
  };
}

/** Checks a URL before it is dialed. @throws {UsageError} */
export function urlOf(text: string | undefined, command: string): string {
  if (text === undefined) throw new UsageError(`${command} needs the URL of a relay`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !["http:", "https:", "moqt:", "moql:", "wss:", "ws:"].includes(url.protocol)
  ) {
    throw new UsageError(
      `"${text}" is no URL of a relay; it begins with http://, https://, moqt:// or wss://`,
    );
  }
  if (url.hostname === "") throw new UsageError(`"${text}" names no host`);
  return text;
}

/** The URL of a command, and those of `--also`. @throws {UsageError} */
export function urlsOf(
  text: string | undefined,
  also: string | undefined,
  command: string,
): [string, ...string[]] {
  const more = (also ?? "").split(",").map((one) => one.trim()).filter((one) => one !== "");
  return [urlOf(text, command), ...more.map((one) => urlOf(one, command))];
}

/** A duration of the command line, in milliseconds. @throws {UsageError} */
export function durationOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDurationMs(text);
  if (ms === undefined) throw new UsageError(`--${flag} takes a duration like 5s, not "${text}"`);
  return ms;
}

/** A whole number of the command line. @throws {UsageError} */
export function countOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`--${flag} takes a whole number, not "${text}"`);
}

const tokenOf = ({ token }: ConnectOptions) => typeof token === "string" ? token : undefined;

/** Dials, and says what to do where it fails. @param url One, or all nodes. @throws {NotConnected} */
export async function dialRelay(
  url: string | readonly [string, ...string[]],
  options: ConnectOptions,
) {
  try {
    return await connect(url, options);
  } catch (error) {
    if (!(error instanceof QumoError) && !(error instanceof RangeError)) throw error;
    const [first] = typeof url === "string" ? [url] : url;
    const remedy = remedyFor(reasonOf(error), withToken(new URL(first), tokenOf(options)).href);
    throw new NotConnected(reasonOf(error) + (remedy === "" ? "" : `\n${remedy}`), {
      cause: error,
    });
  }
}

function hashOf(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text.replaceAll(":", ""))) return text;
  throw new UsageError(`--hash takes the 64 hexadecimal digits of a SHA-256, not "${text}"`);
}

async function readCa(path: string): Promise<string> {
  try {
    const pem = await Deno.readTextFile(path);
    if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
    throw new Error("there is no certificate in it");
  } catch (error) {
    throw new UsageError(`--ca: cannot use ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function versionsOf(text: string): string[] {
  const names = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
  const wrong = names.find((name) => !(VERSIONS as readonly string[]).includes(name));
  if (wrong !== undefined || names.length === 0) {
    throw new UsageError(`--version takes ${VERSIONS.join(", ")}; not "${wrong ?? text}"`);
  }
  return names;
}
