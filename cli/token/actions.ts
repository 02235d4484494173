import { QumoError, reasonOf, UsageError } from "../../base/errors.ts";
import { parseDurationMs } from "../../base/units.ts";
import { replaceFile } from "../../config/tls/made_certificate.ts";
import { didYouMean } from "../../base/suggest.ts";
import { encodeClaims, type Rights } from "../../server/auth/claims.ts";
import {
  type Algorithm,
  ALGORITHM_NAMES,
  isKid,
  parseKey,
  parseKeys,
} from "../../server/auth/keys/key.ts";
import { generateKey, keyJson, publicKeyJson } from "../../server/auth/keys/make_key.ts";
import { BadPattern, Pattern } from "../../wire/path_pattern.ts";
import { inspectToken, signToken, timeText, verifyToken } from "../../server/auth/token.ts";
import { fixedKeys } from "../../server/auth/keys/key_source.ts";
import { print, say } from "../shell/output.ts";
import type { TokenFlags } from "./flags.ts";

/** A file cannot be read or written. */
class TokenFileError extends QumoError {
  readonly code = "QUMO_TOKEN_FILE";
}

/** The actions of `token`, by name. */
export const TOKEN_ACTIONS: Readonly<Record<string, (flags: TokenFlags) => Promise<void>>> = {
  generate,
  sign,
  verify,
  inspect,
};

async function generate(flags: TokenFlags): Promise<void> {
  const { algorithm = "HS256", id = randomId(), root = "" } = flags;
  if (!isAlgorithm(algorithm)) {
    throw new UsageError(
      `--algorithm takes one of ${ALGORITHM_NAMES.join(", ")}` +
        didYouMean(algorithm, ALGORITHM_NAMES),
    );
  }
  if (!isKid(id)) throw new UsageError('--id takes letters, digits, "_" and "-"');
  const scope = rightsOf(flags, root);
  const key = await generateKey({
    alg: algorithm,
    kid: id,
    ...(scope === undefined ? {} : { scope }),
  });
  const publicFile = flags.public ?? within(flags["public-dir"], id);
  if (publicFile !== undefined && key.jwk.kty === "oct") {
    throw new UsageError(`${algorithm} has no public half: take ES256, EdDSA or RS256`);
  }
  const out = flags.out ?? within(flags["out-dir"], id);
  const text = (json: object) => {
    const plain = JSON.stringify(json);
    if (!flags.base64) return plain;
    return new TextEncoder().encode(plain).toBase64({ alphabet: "base64url", omitPadding: true });
  };
  const force = flags.force === true;
  await put(out ?? "-", text(keyJson(key)), 0o600, force);
  if (publicFile !== undefined) await put(publicFile, text(publicKeyJson(key)), 0o644, force);
}

async function sign(flags: TokenFlags): Promise<void> {
  const rights = rightsOf(flags, flags.root ?? "");
  if (rights === undefined) {
    throw new UsageError('sign needs --publish or --subscribe; "" is everything below --root');
  }
  const keyFile = need(flags.key, "sign");
  const iat = secondsOf("issued", flags.issued) ?? Math.floor(Date.now() / 1000);
  const exp = expiryOf(flags);
  const key = parseKey(await read(keyFile));
  const claims = {
    ...rights,
    iat,
    ...(exp === undefined ? {} : { exp }),
    ...(flags.jti === undefined ? {} : { jti: flags.jti }),
    ...(flags.sub === undefined ? {} : { sub: flags.sub }),
  };
  print(await signToken(claims, key));
  if (exp === undefined) say("Warning: the token never ends; --ttl 1h would end it in an hour");
}

async function verify(flags: TokenFlags): Promise<void> {
  const keyFile = need(flags.key, "verify");
  const tokenFile = flags.in ?? "-";
  if (keyFile === "-" && tokenFile === "-") {
    throw new UsageError("key and token cannot both come from standard input: name one with --in");
  }
  const keys = fixedKeys(parseKeys(await read(keyFile)));
  const claims = await verifyToken((await read(tokenFile)).trim(), keys, Date.now());
  print(JSON.stringify(encodeClaims(claims), undefined, 2));
}

async function inspect(flags: TokenFlags): Promise<void> {
  const { header, payload } = inspectToken((await read(flags.in ?? "-")).trim());
  print(JSON.stringify({ header, payload }, undefined, 2));
  const { exp } = payload as { exp?: unknown };
  if (typeof exp === "number") {
    say(`${exp * 1000 <= Date.now() ? "ended" : "ends"} ${timeText(exp)}`);
  }
  say("Nothing was checked: anybody can write this. `token verify` checks it.");
}

/** A path is a subtree, as in older tokens; with a "*" it is a pattern. @returns `undefined` when none is given. */
function rightsOf({ publish, subscribe, peer }: TokenFlags, root: string): Rights | undefined {
  const patterns = (flag: string, text: string | undefined) =>
    text?.split("\n").map((path) => {
      try {
        return path.includes("*") ? Pattern.parse(path) : Pattern.subtree(path);
      } catch (error) {
        throw error instanceof BadPattern ? new UsageError(`--${flag}: ${error.message}`) : error;
      }
    }) ?? [];
  const rights = {
    root,
    publish: patterns("publish", publish),
    subscribe: patterns("subscribe", subscribe),
    ...(peer ? { peer } : {}),
  };
  return rights.publish.length + rights.subscribe.length === 0 ? undefined : rights;
}

function expiryOf({ ttl, expires }: TokenFlags): number | undefined {
  if (ttl !== undefined && expires !== undefined) {
    throw new UsageError("--ttl and --expires say the same: give one of them");
  }
  if (ttl === undefined) return secondsOf("expires", expires);
  const days = /^(\d{1,5})d$/.exec(ttl);
  const ms = days === null ? parseDurationMs(ttl) : Number(days[1]) * 86_400_000;
  if (ms === undefined || ms === 0) {
    throw new UsageError(`--ttl takes a duration like 1h or 30d, not "${ttl}"`);
  }
  return Math.floor((Date.now() + ms) / 1000);
}

function secondsOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new UsageError(`--${flag} takes seconds since 1970, not "${text}"`);
}

const isAlgorithm = (name: string): name is Algorithm =>
  (ALGORITHM_NAMES as readonly string[]).includes(name);

const randomId = () => crypto.getRandomValues(new Uint8Array(8)).toHex();

const within = (dir: string | undefined, id: string) =>
  dir === undefined ? undefined : `${dir}/${id}.jwk`;

function need(file: string | undefined, action: string): string {
  if (file !== undefined) return file;
  throw new UsageError(`${action} needs a key: --key FILE`);
}

async function read(file: string): Promise<string> {
  try {
    return file === "-"
      ? await new Response(Deno.stdin.readable).text()
      : await Deno.readTextFile(file);
  } catch (cause) {
    throw new TokenFileError(`Cannot read ${file}: ${reasonOf(cause)}`, { cause });
  }
}

async function put(file: string, text: string, mode: number, force: boolean): Promise<void> {
  if (file === "-") return print(text);
  if (!force && await Deno.lstat(file).then(() => true, () => false)) {
    throw new TokenFileError(
      `Cannot write ${file}: it is there already; choose another name, or --force to replace it`,
    );
  }
  try {
    const dir = file.replace(/[^/\\]*$/, "");
    if (dir !== "") await Deno.mkdir(dir, { recursive: true });
    await replaceFile(file, `${text}\n`, mode);
  } catch (cause) {
    throw new TokenFileError(`Cannot write ${file}: ${reasonOf(cause)}`, { cause });
  }
}
