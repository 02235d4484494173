/**
 * The connection to Redis: dials again until it is closed, and tells its state.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createClient, ErrorReply, RESP_TYPES } from "@redis/client";
import { reasonOf } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { Bell } from "../base/bell.ts";
import { StorageUnavailable } from "./store.ts";

/** A value of an answer. Text and payloads are bytes. */
export type Reply = Buffer | number | null | Reply[];
export type Argument = string | Buffer;

export interface RedisConnectionOptions {
  /** "redis://user:password@host:port/db", or "rediss://" for TLS. */
  readonly url: string;
  readonly log: Logger;
}

/** After so long without an answer of Redis, even to a PING, the connection is replaced. */
const SILENT_MS = 5000;
const PING_MS = 1500;
const MAX_RETRY_MS = 500;
/** How long a command waits for the connection. */
const READY_MS = 1000;

/** Answers after which another attempt may succeed. */
const PASSING = /^(LOADING|READONLY|OOM|MISCONF|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS)\b/;

export class RedisConnection {
  readonly #client: ReturnType<typeof open>;
  readonly #log: Logger;
  readonly #url: string;
  readonly #digests = new Map<string, string>();
  readonly #back = new Bell();
  #closed = false;
  #complained = false;

  /** Begins to connect. Until it is connected, commands fail with {@link StorageUnavailable}. */
  constructor(options: RedisConnectionOptions) {
    this.#url = options.url;
    this.#log = options.log;
    this.#client = open(options.url);
    this.#client.on("error", (error: unknown) => this.#failed(error));
    this.#client.on("ready", () => {
      if (this.#complained) this.#log.info("storage is back", { at: hostOf(this.#url) });
      this.#complained = false;
      this.#back.ring();
    });
    this.#client.connect().catch((error: unknown) => this.#failed(error));
  }

  get ready(): boolean {
    return this.#client.isReady;
  }

  /** Another connection to the same Redis, for commands that block. The caller closes it. */
  another(): RedisConnection {
    return new RedisConnection({ url: this.#url, log: this.#log });
  }

  /** Sends a command, and waits a moment for a connection that is being made. @throws {StorageUnavailable} `passing` tells whether another attempt may succeed. */
  async command(args: readonly Argument[]): Promise<Reply> {
    try {
      if (!this.#client.isReady && !this.#closed) {
        await this.#back.wait(AbortSignal.timeout(READY_MS)).catch(() => {});
      }
      return await this.#client.sendCommand([...args]) as Reply;
    } catch (error) {
      throw new RedisFailed(error, hostOf(this.#url));
    }
  }

  /** Runs a script; Redis knows it by its digest after the first time. @throws {StorageUnavailable} */
  async script(
    script: string,
    keys: readonly string[],
    args: readonly Argument[],
  ): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.command(["EVALSHA", this.#digest(script), ...rest]);
    } catch (error) {
      const { cause } = error as RedisFailed;
      if (!(cause instanceof Error) || !cause.message.startsWith("NOSCRIPT")) throw error;
      return await this.command(["EVAL", script, ...rest]);
    }
  }

  close(): void {
    this.#closed = true;
    this.#back.ring();
    this.#client.destroy();
  }

  #digest(script: string): string {
    let digest = this.#digests.get(script);
    if (digest === undefined) {
      digest = createHash("sha1").update(script).digest("hex");
      this.#digests.set(script, digest);
    }
    return digest;
  }

  /** Logs a loss once. */
  #failed(error: unknown): void {
    if (this.#closed || this.#complained) return;
    this.#complained = true;
    this.#log.warn("storage cannot be reached; what is to be kept waits", {
      at: hostOf(this.#url),
      reason: reasonOf(error),
    });
  }
}

/** A command failed. */
export class RedisFailed extends StorageUnavailable {
  /** Another attempt may succeed: the connection was lost, or Redis is not ready. */
  readonly passing: boolean;
  constructor(cause: unknown, at: string) {
    super(`Redis at ${at}: ${reasonOf(cause)}`, { cause });
    this.passing = !(cause instanceof ErrorReply) || PASSING.test(cause.message);
  }
}

/** Host and port alone, since the URL may hold a password. */
function hostOf(url: string): string {
  return new URL(url).host || "localhost";
}

function open(url: string) {
  return createClient({
    url,
    RESP: 2,
    // Appends wait in this process, in order and bounded.
    disableOfflineQueue: true,
    pingInterval: PING_MS,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    socket: {
      connectTimeout: SILENT_MS,
      socketTimeout: SILENT_MS,
      reconnectStrategy: (retries) => Math.min(MAX_RETRY_MS, 20 * 2 ** Math.min(retries, 6)),
    },
  });
}
