/**
 * Certificates for further host names, shown over TCP to those who ask for these names. QUIC has one certificate.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { type Certificate, checkPair, readPem } from "../../config/tls/pem_pair.ts";

/** How often the files are looked at. */
const LOOK_MS = 5000;

export interface FurtherOptions {
  /** Entries of `server.certificates`: the two files of each, a space between. Asked at each look. */
  readonly pairs: () => readonly string[];
  /** Gets all of them, at the start and whenever one has changed. */
  readonly onChange: (certificates: readonly Certificate[]) => void;
  readonly log: Logger;
}

/** Follows the files. Its owner closes it. */
export class FurtherCertificates {
  readonly #options: FurtherOptions;
  /** What was read last, by entry. */
  #known = new Map<string, Certificate>();
  /** What is wrong with an entry, told once. */
  readonly #told = new Map<string, string>();
  readonly #timer: ReturnType<typeof setInterval>;
  #looking: Promise<void> | undefined;

  constructor(options: FurtherOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** Reads the files. Never rejects: what cannot be used is told, and what was in use stays. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => this.#looking = undefined);
    return this.#looking;
  }
  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const next = new Map<string, Certificate>();
    for (const pair of this.#options.pairs()) {
      const before = this.#known.get(pair);
      const read = await this.#read(pair) ?? before;
      if (read !== undefined) next.set(pair, read);
    }
    const same = next.size === this.#known.size &&
      [...next].every(([pair, { cert, key }]) => {
        const before = this.#known.get(pair);
        return before?.cert === cert && before.key === key;
      });
    this.#known = next;
    if (!same) this.#options.onChange([...next.values()]);
  }
  async #read(pair: string): Promise<Certificate | undefined> {
    const [cert = "", key = ""] = pair.split(" ");
    try {
      const read = await checkPair(await readPem(cert), await readPem(key), { now: Date.now() });
      this.#told.delete(pair);
      return read;
    } catch (error) {
      const reason = reasonOf(error);
      if (this.#told.get(pair) !== reason) {
        this.#options.log.error("cannot use a certificate of server.certificates", {
          pair,
          reason,
        });
      }
      this.#told.set(pair, reason);
      return undefined;
    }
  }
}
