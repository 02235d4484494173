/**
 * Where the keys come from that tokens are checked with: a file, a directory by the key's name, or an issuer's JWKS.
 * What was good stays in use when what replaces it is not.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import { QumoError, reasonOf } from "../../../base/errors.ts";
import type { Logger } from "../../../base/logger.ts";
import { masked } from "../../../base/masking.ts";
import { type Key, parseKeys } from "./key.ts";

/** Keys cannot be had, and none are kept from before. */
export class KeysUnavailable extends QumoError {
  readonly code = "QUMO_KEYS_UNAVAILABLE";
}

export interface KeySource {
  /** The key of that name; without a name the only one there is. @throws {KeysUnavailable} */
  find(kid: string | undefined): Promise<Key | undefined>;
  /** Looks again at once. @throws {KeysUnavailable} What there is now is of no use; what was there before stays. */
  reload(): Promise<void>;
}

/** Keys that are here already. */
export function fixedKeys(keys: readonly Key[]): KeySource {
  return { find: (kid) => Promise.resolve(pick(keys, kid)), reload: () => Promise.resolve() };
}

export interface SourceContext {
  readonly clock: Clock;
  readonly log: Logger;
}

/** A file is looked at again after this long, in milliseconds. */
const LOOK_AGAIN_MS = 1000;

/** One file: a JWK or a set. Read again when it has changed. */
export class FileKeys implements KeySource {
  readonly #file: string;
  readonly #context: SourceContext;
  #keys: Key[] | undefined;
  #seen = "";
  #lookedAtMs = -Infinity;
  #looking: Promise<void> | undefined;

  constructor(file: string, context: SourceContext) {
    this.#file = file;
    this.#context = context;
  }

  async find(kid: string | undefined): Promise<Key | undefined> {
    const now = this.#context.clock.now();
    if (this.#looking === undefined && now - this.#lookedAtMs >= LOOK_AGAIN_MS) {
      this.#lookedAtMs = now;
      this.#looking = this.#look().finally(() => this.#looking = undefined);
    }
    try {
      await this.#looking; // those who come meanwhile wait for the same look
    } catch (error) {
      if (this.#keys === undefined) throw error;
      this.#context.log.warn(`${reasonOf(error)}; the keys in use stay`);
    }
    return pick(this.#keys ?? [], kid);
  }

  async reload(): Promise<void> {
    this.#seen = "";
    await this.#look();
  }

  async #look(): Promise<void> {
    const file = this.#file;
    try {
      const { mtime, size, ino } = await Deno.stat(file);
      const seen = `${mtime?.getTime()} ${size} ${ino}`;
      if (seen === this.#seen) return;
      this.#seen = seen; // a bad file is told once
      const keys = parseKeys(await Deno.readTextFile(file));
      if (this.#keys !== undefined) this.#context.log.info("keys were replaced", { file });
      this.#keys = keys;
    } catch (cause) {
      throw new KeysUnavailable(`Cannot read keys from ${file}: ${reasonOf(cause)}`, { cause });
    }
  }
}

/** Most files of a directory that are kept open to lookups. */
const MAX_FILES = 1000;

/** A directory in which the key NAME is the file NAME.jwk. A token without a name finds nothing. */
export class DirectoryKeys implements KeySource {
  readonly #dir: string;
  readonly #context: SourceContext;
  readonly #files = new Map<string, FileKeys>();

  constructor(dir: string, context: SourceContext) {
    this.#dir = dir;
    this.#context = context;
  }

  async find(kid: string | undefined): Promise<Key | undefined> {
    if (kid === undefined) return undefined;
    const file = `${this.#dir}/${kid}.jwk`;
    const there = await Deno.stat(file).then((info) => info.isFile, () => false);
    if (!there) {
      this.#files.delete(kid); // a key that was taken away is not good any more
      return undefined;
    }
    let keys = this.#files.get(kid);
    if (keys === undefined) {
      if (this.#files.size >= MAX_FILES) this.#files.clear();
      this.#files.set(kid, keys = new FileKeys(file, this.#context));
    }
    // The file's name is the key's, whether it says so itself or not.
    return await keys.find(undefined);
  }

  async reload(): Promise<void> {
    try {
      if (!(await Deno.stat(this.#dir)).isDirectory) throw new Error("it is no directory");
    } catch (cause) {
      throw new KeysUnavailable(`Cannot read keys from ${this.#dir}: ${reasonOf(cause)}`, {
        cause,
      });
    }
    this.#files.clear();
  }
}

/** A name that is not known asks the issuer again, at most this often, in milliseconds. */
const ASK_AGAIN_MS = 10_000;
/** As long as it has not answered at all, this often. */
const RETRY_MS = 1000;
const TIMEOUT_MS = 10_000;

export interface JwksOptions extends SourceContext {
  readonly url: string;
  /** How long an answer holds, in milliseconds. */
  readonly refreshMs: number;
  readonly fetch?: typeof fetch;
}

/** An issuer's set by HTTP. Asked again when it has grown old, and when a token names a key that is not in it. */
export class JwksKeys implements KeySource {
  readonly #options: JwksOptions;
  #keys: Key[] | undefined;
  #askedAtMs = -Infinity;
  #answeredAtMs = -Infinity;
  #asking: Promise<void> | undefined;
  #failure: KeysUnavailable | undefined;

  constructor(options: JwksOptions) {
    this.#options = options;
  }

  async find(kid: string | undefined): Promise<Key | undefined> {
    const { clock, log, refreshMs } = this.#options;
    const now = clock.now();
    const found = pick(this.#keys ?? [], kid);
    const due = now - this.#answeredAtMs >= refreshMs || found === undefined;
    const pauseMs = this.#keys === undefined ? RETRY_MS : ASK_AGAIN_MS;
    const asked = this.#asking === undefined && now - this.#askedAtMs < pauseMs;
    if (asked && this.#keys === undefined) throw this.#failure;
    if (!due || asked) return found;
    try {
      await this.reload();
    } catch (error) {
      if (this.#keys === undefined) throw error;
      log.warn(`${reasonOf(error)}; the keys in use stay`);
    }
    return pick(this.#keys ?? [], kid);
  }

  /** Those who ask at once share one request. */
  async reload(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => this.#asking = undefined);
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const { url, clock, log } = this.#options;
    this.#askedAtMs = clock.now();
    try {
      const answer = await (this.#options.fetch ?? fetch)(url, {
        headers: { accept: "application/json" },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`the answer is ${answer.status}`);
      const keys = parseKeys(text);
      if (this.#keys !== undefined && namesOf(keys) !== namesOf(this.#keys)) {
        log.info("keys were replaced", { url: masked(url), keys: namesOf(keys) });
      }
      this.#keys = keys;
      this.#answeredAtMs = clock.now();
    } catch (cause) {
      const what = `Cannot read keys from ${masked(url)}: ${masked(reasonOf(cause))}`;
      throw this.#failure = new KeysUnavailable(what, { cause });
    }
  }
}

/** By name; a token without one is only good where there is a single key, and that one may have a name of its own. */
function pick(keys: readonly Key[], kid: string | undefined): Key | undefined {
  if (kid === undefined) return keys.length === 1 ? keys[0] : undefined;
  const named = keys.find((key) => key.kid === kid);
  return named ?? (keys.length === 1 && keys[0]!.kid === undefined ? keys[0] : undefined);
}

const namesOf = (keys: readonly Key[]) => keys.map(({ kid }) => kid ?? "unnamed").join(", ");
