/**
 * Decides who is admitted and with which rights. It is made from plain settings: every thread has its own.
 *
 * @module
 */
import { type Clock, systemClock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { type Logger, silent } from "../../base/logger.ts";
import { openToAll } from "../../config/exposure.ts";
import type { Config } from "../../config/schema.ts";
import { AuthServer, type Lease } from "./auth_server.ts";
import { ClusterSecret, ClusterSecretUnusable, isOfCluster } from "./cluster_secret.ts";
import { grantAt, type Rights, TokenRefused } from "./claims.ts";
import { fullGrant, type Grant, type Refusal, refusal } from "./grant.ts";
import {
  DirectoryKeys,
  FileKeys,
  JwksKeys,
  type KeySource,
  KeysUnavailable,
} from "./keys/key_source.ts";
import type { IsDialed } from "./node_names.ts";
import { normalizePath } from "../../wire/path.ts";
import { compacted, Pattern } from "../../wire/path_pattern.ts";
import { type AuthRequest, tokenOf } from "./request.ts";
import { SharedAnswers } from "./shared_answers.ts";
import { verifyToken } from "./token.ts";

/** The `auth` section of the configuration. */
export type AuthSettings = Config["auth"];

export interface AuthorizerOptions {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** `cluster.secret_file`: other nodes are let in by it, whatever the settings say. */
  readonly clusterSecretFile?: string | undefined;
  /** Whether the token of a node is for this one. */
  readonly isDialed?: IsDialed;
}

/** The answer to an admitted request. */
export interface Admitted {
  readonly grant: Grant;
  /** Follows later decisions of the auth server. Its owner ends it. */
  readonly lease?: Lease;
}

export class Authorizer {
  readonly #settings: AuthSettings;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #keys: KeySource | undefined;
  readonly #server: AuthServer | undefined;
  readonly #shared: SharedAnswers | undefined;
  readonly #cluster: ClusterSecret | undefined;
  /** The rights of requests without a token. */
  readonly #open: Rights;

  constructor(settings: AuthSettings, options: AuthorizerOptions = {}) {
    const { clock = systemClock, log = silent, clusterSecretFile: file, isDialed } = options;
    this.#cluster = file === undefined
      ? undefined
      : new ClusterSecret({ file, clock, log, isDialed });
    const { serverUrl, serverNode, publicPublish, publicSubscribe } = settings;
    this.#settings = settings;
    this.#log = log;
    this.#clock = clock;
    this.#keys = keySource(settings, { clock, log });
    if (serverUrl !== undefined) {
      const server = this.#server = new AuthServer({
        url: serverUrl,
        node: serverNode,
        clock,
        log,
      });
      this.#shared = new SharedAnswers({ clock, connect: (request) => server.connect(request) });
    }
    const open = (patterns: readonly string[]) =>
      compacted(patterns.map((text) => Pattern.parse(text)));
    this.#open = { root: "", publish: open(publicPublish), subscribe: open(publicSubscribe) };
  }

  /** Reads the keys again. @throws {KeysUnavailable} @throws {ClusterSecretUnusable} The keys in use stay. */
  async reload(): Promise<void> {
    await this.#cluster?.prepare();
    await this.#keys?.reload();
  }

  /**
   * Reads the keys before the first request. An issuer may answer later; a file must be there.
   * @throws {KeysUnavailable} @throws {ClusterSecretUnusable}
   */
  async prepare(): Promise<void> {
    try {
      await this.reload();
    } catch (error) {
      if (this.#settings.jwksUrl === undefined || error instanceof ClusterSecretUnusable) {
        throw error;
      }
      this.#log.warn(`${reasonOf(error)}; tokens are refused until it answers`);
    }
  }

  /** Decides on one request. Never rejects because of its content. */
  async decide(request: AuthRequest): Promise<Admitted | Refusal> {
    const token = tokenOf(request);
    if (token !== undefined && this.#cluster !== undefined && isOfCluster(token)) {
      return await this.#ofNode(token, request, this.#cluster);
    }
    const server = request.transport === "http" ? this.#shared : this.#server;
    return server === undefined ? await this.#byToken(request) : await server.connect(request);
  }

  /** Tells the auth server the end of the sessions that HTTP requests share. */
  close(): void {
    this.#shared?.close();
  }

  /** Whether a request is that of another node, by the secret of the cluster. */
  async isOfNode(request: Pick<AuthRequest, "query" | "bearer" | "remote">): Promise<boolean> {
    const token = tokenOf(request);
    if (token === undefined || this.#cluster === undefined || !isOfCluster(token)) return false;
    return await this.#cluster.verify(token, request.remote).then(() => true, () => false);
  }

  /** Its rights do not end with its token: that is made for one dial. */
  async #ofNode(
    token: string,
    request: AuthRequest,
    secret: ClusterSecret,
  ): Promise<Admitted | Refusal> {
    try {
      const grant = grantAt(await secret.use(token, request.remote), request.path);
      return "reason" in grant ? grant : { grant };
    } catch (error) {
      if (error instanceof TokenRefused) {
        const hint = "nodes of a cluster have the same cluster.secret_file, and clocks that agree";
        return refusal(error.reason, `${error.message}; ${hint}`);
      }
      if (error instanceof ClusterSecretUnusable) return refusal("unavailable", error.message);
      throw error;
    }
  }

  async #byToken(request: AuthRequest): Promise<Admitted | Refusal> {
    const token = tokenOf(request);
    if (token !== undefined && this.#keys !== undefined) {
      return await this.#verified(token, request, this.#keys);
    }
    if (openToAll(this.#settings)) return { grant: fullGrant(normalizePath(request.path)) };
    // The holder expects the token to count. Public paths may grant less.
    if (token !== undefined) {
      return refusal("bad_token", "this server has no keys to check it with");
    }
    const grant = grantAt(this.#open, request.path);
    return "reason" in grant ? refusal("no_token", "a token is needed here") : { grant };
  }

  async #verified(
    token: string,
    request: AuthRequest,
    keys: KeySource,
  ): Promise<Admitted | Refusal> {
    try {
      const claims = await verifyToken(token, keys, this.#clock.wallMs());
      const grant = grantAt(claims, request.path);
      if ("reason" in grant) return grant;
      const { exp, iat, jti, sub } = claims;
      return {
        grant: {
          ...grant,
          ...(exp === undefined ? {} : { expiresAtMs: exp * 1000 }),
          ...(iat === undefined ? {} : { issuedAtMs: iat * 1000 }),
          ...(jti === undefined ? {} : { jti }),
          ...(sub === undefined ? {} : { sub }),
        },
      };
    } catch (error) {
      if (error instanceof TokenRefused) return refusal(error.reason, error.message);
      if (error instanceof KeysUnavailable) return refusal("unavailable", error.message);
      throw error;
    }
  }
}

function keySource(
  { keyFile, keyDir, jwksUrl, jwksRefresh }: AuthSettings,
  context: { readonly clock: Clock; readonly log: Logger },
): KeySource | undefined {
  if (keyFile !== undefined) return new FileKeys(keyFile, context);
  if (keyDir !== undefined) return new DirectoryKeys(keyDir, context);
  if (jwksUrl === undefined) return undefined;
  return new JwksKeys({ ...context, url: jwksUrl, refreshMs: jwksRefresh });
}
