/**
 * The secret that all nodes of a cluster share. The node that dials signs a token with it, and the one that is dialed takes it in
 * as a node, whatever else decides on tokens there.
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

/** `cluster.secret_file` cannot be read, or holds no secret. */
export class ClusterSecretUnusable extends QumoError {
  readonly code = "QUMO_CLUSTER_SECRET_UNUSABLE";
}

/** The key that tokens of this kind name. */
const KID = "qumo-cluster";
const MIN_CHARACTERS = 16;
/** How long a token may be used. Clocks of two nodes may differ by about that. */
const LIFE_MS = 300_000;
/** How often the file is looked at, in milliseconds. */
const LOOK_AGAIN_MS = 1000;

export interface ClusterSecretOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Logger;
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

  /** A token for one dial. @throws {ClusterSecretUnusable} There never was a secret. */
  async sign(): Promise<string> {
    const key = await this.#current();
    const everything = [Pattern.subtree("")];
    const exp = Math.floor((this.#options.clock.wallMs() + LIFE_MS) / 1000);
    const claims = {
      root: "",
      publish: everything,
      subscribe: everything,
      peer: true,
      exp,
    } as const;
    return await signToken(claims, key);
  }

  /** @throws {TokenRefused} It is not made of this secret, or too old. @throws {ClusterSecretUnusable} */
  async verify(token: string): Promise<Claims> {
    const key = await this.#current();
    return await verifyToken(token, fixedKeys([key]), this.#options.clock.wallMs());
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
