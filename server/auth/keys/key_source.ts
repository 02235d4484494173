/**
 * Sources of the keys that check tokens: a file, a directory with a file per key, or the JWKS of an issuer. Good keys stay
 * in use when their replacement is bad.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import { QumoError, reasonOf } from "../../../base/errors.ts";
import type { Logger } from "../../../base/logger.ts";
import { masked } from "../../../base/masking.ts";
import { type Key, parseKeys } from "./key.ts";

/** There are no keys: the source cannot be read, and there were none before. */
export class KeysUnavailable extends QumoError {
  readonly code = "QUMO_KEYS_UNAVAILABLE";
}

export interface KeySource {
  /** The key with an id; without an id the only key. @throws {KeysUnavailable} */
  find(kid: string | undefined): Promise<Key | undefined>;
  /** Reads the keys again now. @throws {KeysUnavailable} They cannot be used; the keys in use stay. */
  reload(): Promise<void>;
}

/** Keys in memory. */
export function fixedKeys(keys: readonly Key[]): KeySource {
  return { find: (kid) => Promise.resolve(pick(keys, kid)), reload: () => Promise.resolve() };
}

export interface SourceContext {
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often a file is checked for changes, in milliseconds. */
const LOOK_AGAIN_MS = 1000;

/** One file: a JWK or a set. It is read again when it has changed. */
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
      await this.#looking; // several requests wait for one read
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
      this.#seen = seen; // a bad file is logged once
      const keys = parseKeys(await Deno.readTextFile(file));
      if (this.#keys !== undefined) this.#context.log.info("keys were replaced", { file });
      this.#keys = keys;
    } catch (cause) {
      throw new KeysUnavailable(`Cannot read keys from ${file}: ${reasonOf(cause)}`, { cause });
    }
  }
}

/** Most files of a directory that are remembered. */
const MAX_FILES = 1000;

/** A directory where the key NAME is the file NAME.jwk. A token must name its key. */
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
      this.#files.delete(kid); // a removed key does not count any more
      return undefined;
    }
    let keys = this.#files.get(kid);
    if (keys === undefined) {
      if (this.#files.size >= MAX_FILES) this.#files.clear();
      this.#files.set(kid, keys = new FileKeys(file, this.#context));
    }
    // The id of the key is the name of the file.
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

/** How often an unknown id makes us ask the issuer again at most, in milliseconds. */
const ASK_AGAIN_MS = 10_000;
/** The same while the issuer has never answered. */
const RETRY_MS = 1000;
const TIMEOUT_MS = 10_000;

export interface JwksOptions extends SourceContext {
  readonly url: string;
  /** How long an answer is used, in milliseconds. */
  readonly refreshMs: number;
  readonly fetch?: typeof fetch;
}

/** The key set of an issuer, by HTTP. It is fetched again when it is old, and when a token names an unknown key. */
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

  /** Several callers share one request. */
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

/** Finds a key by its id. Without an id it finds the only key there is, also one with an id. */
function pick(keys: readonly Key[], kid: string | undefined): Key | undefined {
  if (kid === undefined) return keys.length === 1 ? keys[0] : undefined;
  const named = keys.find((key) => key.kid === kid);
  return named ?? (keys.length === 1 && keys[0]!.kid === undefined ? keys[0] : undefined);
}

const namesOf = (keys: readonly Key[]) => keys.map(({ kid }) => kid ?? "unnamed").join(", ");
