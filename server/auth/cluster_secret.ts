/**
 * The secret that all nodes of a cluster share. The node that dials signs a token with it, and the one that is dialed takes it in
 * as a node, whatever else decides on tokens there. A token is for one dial of one node: a stranger that a directory names gets
 * nothing that another node takes.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { QumoError, reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { Pattern } from "../../wire/path_pattern.ts";
import { type Key, keyOf } from "./keys/key.ts";
import { fixedKeys } from "./keys/key_source.ts";
import { kidOf, signToken, verifyToken } from "./token.ts";
import { type Claims, TokenRefused } from "./claims.ts";
import type { DialedNode, IsDialed } from "./node_names.ts";

/** `cluster.secret_file` cannot be read, or holds no secret. */
export class ClusterSecretUnusable extends QumoError {
  readonly code = "QUMO_CLUSTER_SECRET_UNUSABLE";
}

/** The key that tokens of this kind name. */
const KID = "qumo-cluster";
const MIN_CHARACTERS = 16;
/** How long a token may be used. Clocks of two nodes may differ by about that, each way. */
const LIFE_MS = 60_000;
/** How often the file is looked at, in milliseconds. */
const LOOK_AGAIN_MS = 1000;

export interface ClusterSecretOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether a token is for this node. Absent where tokens are only signed. */
  readonly isDialed?: IsDialed | undefined;
}

/** Whether a token says that it is made of a cluster's secret. Nothing is checked. */
export function isOfCluster(token: string): boolean {
  try {
    return kidOf(token) === KID;
  } catch (error) {
    if (error instanceof TokenRefused) return false;
    throw error;
  }
}

export class ClusterSecret {
  readonly #options: ClusterSecretOptions;
  #key: Key | undefined;
  #text = "";
  #lookedAtMs = -Infinity;
  #looking: Promise<void> | undefined;
  /** Tokens that were used here, with the time they end: in milliseconds since 1970, the oldest first. */
  readonly #used = new Map<string, number>();
  /** The log says already that the file cannot be used. */
  #complained = false;

  constructor(options: ClusterSecretOptions) {
    this.#options = options;
  }

  /** Reads the file. @throws {ClusterSecretUnusable} The secret in use stays. */
  async prepare(): Promise<void> {
    const { file, log } = this.#options;
    const text = await read(file);
    if (text === this.#text) return;
    if (this.#text !== "") log.info("the cluster's secret was replaced", { file });
    this.#text = text;
    this.#key = keyFrom(text);
  }

  /** A token for one dial of one node. @throws {ClusterSecretUnusable} There never was a secret. */
  async sign(dialed: DialedNode): Promise<string> {
    const key = await this.#current();
    const everything = [Pattern.subtree("")];
    const iat = Math.floor(this.#options.clock.wallMs() / 1000);
    const claims = {
      root: "",
      publish: everything,
      subscribe: everything,
      peer: true,
      ...{ iat, exp: iat + LIFE_MS / 1000, jti: crypto.randomUUID() },
      ...dialed,
    } as const;
    return await signToken(claims, key);
  }

  /**
   * @param remote "ip:port" of who shows it.
   * @throws {TokenRefused} It is not made of this secret, for another node, or too old. @throws {ClusterSecretUnusable}
   */
  async verify(token: string, remote: string): Promise<Claims> {
    const key = await this.#current();
    const nowMs = this.#options.clock.wallMs();
    const claims = await verifyToken(token, fixedKeys([key]), nowMs);
    const { iat = Infinity, exp = Infinity, jti } = claims;
    if (jti === undefined || iat * 1000 > nowMs + LIFE_MS || exp * 1000 > nowMs + 2 * LIFE_MS) {
      throw new TokenRefused("bad_token", "it lives too long, or has no id");
    }
    if (this.#used.has(jti)) throw new TokenRefused("bad_token", "it was used before");
    if (this.#options.isDialed?.(claims, remote) === true) return claims;
    const { node = "a node with another certificate" } = claims;
    throw new TokenRefused(
      "bad_token",
      `it is for ${node}, which is no name of this node; its cluster.url has to be what other nodes dial`,
    );
  }

  /** The same, once for each token. */
  async use(token: string, remote: string): Promise<Claims> {
    const claims = await this.verify(token, remote);
    const { jti, exp } = claims;
    // It may have come twice at the same moment.
    if (this.#used.has(jti!)) throw new TokenRefused("bad_token", "it was used before");
    const nowMs = this.#options.clock.wallMs();
    for (const [old, untilMs] of this.#used) if (untilMs <= nowMs) this.#used.delete(old);
    this.#used.set(jti!, exp! * 1000);
    return claims;
  }

  /** The key of the file as it is now. While that cannot be read, the last one holds. */
  async #current(): Promise<Key> {
    const now = this.#options.clock.now();
    if (this.#looking === undefined && now - this.#lookedAtMs >= LOOK_AGAIN_MS) {
      this.#lookedAtMs = now;
      this.#looking = this.prepare().finally(() => this.#looking = undefined);
    }
    try {
      await this.#looking;
      this.#complained = false;
    } catch (error) {
      if (this.#key === undefined) throw error;
      if (!this.#complained) this.#options.log.warn(`${reasonOf(error)}; the secret in use stays`);
      this.#complained = true;
    }
    return this.#key!;
  }
}

/** A secret may be used elsewhere too: the key is good for nothing else. */
function keyFrom(secret: string): Key {
  const digest = createHash("sha256").update(`qumo-relay cluster\n${secret}`).digest("base64url");
  return keyOf({ kty: "oct", alg: "HS256", kid: KID, k: digest });
}

async function read(file: string): Promise<string> {
  let text: string;
  try {
    text = (await Deno.readTextFile(file)).trim();
  } catch (cause) {
    throw new ClusterSecretUnusable(
      `Cannot read cluster.secret_file ${file}: ${
        reasonOf(cause)
      }; \`openssl rand -hex 32\` makes a secret`,
      { cause },
    );
  }
  if (text.length >= MIN_CHARACTERS) return text;
  throw new ClusterSecretUnusable(
    `Cannot use cluster.secret_file ${file}: it has ${text.length} characters, ${MIN_CHARACTERS} or more are needed; ` +
      "`openssl rand -hex 32` makes a secret",
  );
}
